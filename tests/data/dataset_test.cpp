// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/dataset.h"

#include "tests/data/files.h"
#include <gmock/gmock.h>
#include <limits>

#include "ghostgrad/data/images.h"

namespace ghostgrad::data {
namespace {

using testing::HasSubstr;
using testing::Not;

Dataset zeros(int64_t count) { return {at::zeros({count, 1, 2, 3}), at::zeros({count}, at::kLong), 10, "mine/train"}; }

TEST(CheckFinite, AcceptsFiniteInputsTokensAndNoExamples) {
  EXPECT_NO_THROW(check_finite(zeros(4)));
  EXPECT_NO_THROW(check_finite(zeros(0)));
  EXPECT_NO_THROW(check_finite({at::zeros({4, 7}, at::kLong), at::zeros({4}, at::kLong), 10, "tokens"}));
}

TEST(CheckFinite, CountsTheExamplesThatHoldNanOrInfinity) {
  auto dataset = zeros(5);
  dataset.inputs[1].fill_(std::numeric_limits<float>::quiet_NaN());
  dataset.inputs[4][0][1][2] = -std::numeric_limits<float>::infinity();
  const auto message = message_of<base::InvalidArgument>([&] { check_finite(dataset); });
  EXPECT_THAT(message, HasSubstr("[mine/train]"));
  EXPECT_THAT(message, HasSubstr("in 2 of 5 examples"));
}

TEST(Normalise, MapsTheChannelMeanToZeroAndOneDeviationToOne) {
  const auto pixels = at::tensor({0, 255, 0, 255}, at::kByte).view({1, 2, 1, 2});
  const auto inputs = normalise(pixels, {{0.5, 0.2}, {0.25, 0.4}});
  EXPECT_TRUE(inputs.allclose(at::tensor({-2.0, 2.0, -0.5, 2.0}, at::kFloat).view({1, 2, 1, 2})));
  EXPECT_EQ(inputs.scalar_type(), at::kFloat);
}

TEST(Normalise, LooksAtNoOtherExample) {
  const auto pixels = at::randint(0, 256, {6, 3, 4, 4}, at::kByte);
  const Normalisation constants{{0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}};
  auto others = pixels.clone();
  others.slice(0, 1).fill_(255);
  EXPECT_TRUE(normalise(pixels, constants)[0].equal(normalise(others, constants)[0]));
}

TEST(ToTargets, RefusesLabelsOutsideTheClassesWithoutTellingThem) {
  const auto message = message_of<base::SystemError>([] { (void)to_targets(at::tensor({3, 77, 9}, at::kByte), 9, "labels"); });
  EXPECT_THAT(message, HasSubstr("2 of 3 outside"));
  EXPECT_THAT(message, Not(HasSubstr("77")));
  EXPECT_TRUE(to_targets(at::tensor({3, 8}, at::kByte), 9, "labels").equal(at::tensor({3, 8}, at::kLong)));
}

}  // namespace
}  // namespace ghostgrad::data
