// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/generate.h"

#include "cases.h"
#include <gmock/gmock.h>

namespace ghostgrad::models {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// After token t come t + 1 (likely) and t + 2, of seven tokens.
class Counting : public Model {
 public:
  at::Tensor forward(const at::Tensor& inputs) override {
    const auto next = at::one_hot((inputs + 1).remainder(7), 7), other = at::one_hot((inputs + 2).remainder(7), 7);
    return (next.to(at::kDouble) + 0.5 * other.to(at::kDouble)).log();
  }
};

TEST(Continued, TakesTheLikeliestTokensAtTemperatureZeroAndStopsAtTheEnd) {
  Counting model;
  EXPECT_THAT(continued(model, {0, 2}, {.temperature = 0}), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(continued(model, {0, 2}, {.temperature = 0, .end = 5}), ElementsAre(3, 4));
}

TEST(Continued, WritesNoMoreThanWasAskedForAndThanTheModelHasPositions) {
  Counting model;
  EXPECT_THAT(continued(model, {2}, {.most = 2, .temperature = 0}), ElementsAre(3, 4));
  EXPECT_THAT(continued(model, {0, 2}, {.positions = 3, .temperature = 0}), ElementsAre(3));
  EXPECT_THAT(continued(model, {0, 2}, {.positions = 2}), ElementsAre());
}

// 3,000 draws of p = 2/3: outside of 0.62 to 0.72 with a probability below 1e-7.
TEST(Continued, DrawsTokensByTheirProbabilityAtTemperatureOne) {
  Counting model;
  torch::manual_seed(1);
  int64_t likely = 0;
  for (int i = 0; i < 3000; ++i) likely += continued(model, {1}, {.most = 1, .temperature = 1}).front() == 2 ? 1 : 0;
  EXPECT_GT(likely, 0.62 * 3000);
  EXPECT_LT(likely, 0.72 * 3000);
}

TEST(Continued, RefusesNoOpeningAndANegativeTemperature) {
  Counting model;
  EXPECT_THAT(refused([&] { (void)continued(model, {}, {}); }), HasSubstr("[opening]"));
  EXPECT_THAT(refused([&] { (void)continued(model, {1}, {.temperature = -1}); }), HasSubstr("[temperature]"));
}

}  // namespace
}  // namespace ghostgrad::models
