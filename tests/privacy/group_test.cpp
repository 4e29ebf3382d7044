// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/group.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::privacy {
namespace {

const AccountantFactory rdp = [] { return make_accountant("rdp"); };

Event run(double q = 0.01, double sigma = 1, std::int64_t steps = 1000) { return repeated(poisson_sampled(q, gaussian(sigma)), steps); }

double epsilon_of(const Event& event, double delta) {
  const auto accountant = rdp();
  accountant->compose(event);
  return accountant->epsilon(delta).value;
}

double bound(const std::vector<GroupBound>& bounds, const std::string& by) {
  for (const auto& each : bounds) {
    if (each.by == by) return each.epsilon;
  }
  return std::nan("");
}

TEST(Group, OfOneExampleIsTheExample) {
  for (const auto& each : group_bounds(run(), {1, 1e-5}, rdp)) EXPECT_NEAR(each.epsilon, epsilon_of(run(), 1e-5), 1e-12);
}

TEST(Group, NeedsNoiseThatIsLargerByItsSizeWhenAllAreAlwaysDrawn) {
  const auto bounds = group_bounds(repeated(gaussian(8), 10), {4, 1e-5}, rdp);
  EXPECT_EQ(bounds.front().by, "together");
  EXPECT_EQ(bounds.front().epsilon, epsilon_of(repeated(gaussian(2), 10), 1e-5));
  EXPECT_GT(bound(bounds, "chained"), bounds.front().epsilon);
}

TEST(Group, ChainsTheCurveAtTheBestEpsilon) {
  const Group group{3, 1e-5};
  const double chained = bound(group_bounds(run(), group, rdp), "chained");
  const auto accountant = rdp();
  accountant->compose(run());
  const auto group_delta = [&](double epsilon) {  // the sum, term by term
    return accountant->delta(epsilon).value * (1 + std::exp(epsilon) + std::exp(2 * epsilon));
  };
  EXPECT_LE(group_delta(chained / 3), group.delta);
  EXPECT_GT(group_delta(chained / 3 * (1 - 1e-6)), group.delta) << "a smaller epsilon would have done";
  EXPECT_GT(chained, 3 * accountant->epsilon(group.delta).value);
}

TEST(Group, GrowsWithItsSize) {
  double before = 0;
  for (const std::int64_t size : {1, 2, 3, 5, 10}) {
    const auto bounds = group_bounds(run(), {size, 1e-5}, rdp);
    EXPECT_GT(bounds.front().epsilon, before);
    EXPECT_LE(bounds.front().epsilon, bounds.back().epsilon) << "the least comes first";
    before = bounds.front().epsilon;
  }
}

TEST(Group, IsDrawnWhenAnyOfItsExamplesIs) {
  const auto event = together(composed({repeated(poisson_sampled(0.1, gaussian(6)), 7), gaussian(9), non_private()}), 3).value();
  const auto& events = std::get<Composed>(event.node()).events;
  const auto& sampled = std::get<PoissonSampled>(std::get<Repeated>(events[0].node()).event->node());
  EXPECT_NEAR(sampled.sample_rate, 1 - 0.9 * 0.9 * 0.9, 1e-15);
  EXPECT_EQ(*sampled.event, gaussian(2));
  EXPECT_EQ(events[1], gaussian(3));
  EXPECT_EQ(events[2], non_private());
  EXPECT_EQ(together(poisson_sampled(1, gaussian(2)), 2), poisson_sampled(1, gaussian(1)));
}

TEST(Group, OnlyChainsWhatItDoesNotKnow) {
  EXPECT_FALSE(together(poisson_sampled(0.1, composed({gaussian(1)})), 2));
  EXPECT_FALSE(together(repeated(composed({gaussian(1), poisson_sampled(0.1, non_private())}), 2), 2));
}

TEST(Group, PromisesNothingWithoutNoise) {
  for (const auto& each : group_bounds(gaussian(0), {2, 1e-5}, rdp)) EXPECT_TRUE(std::isinf(each.epsilon));
  EXPECT_EQ(group_bounds(composed({}), {5, 1e-5}, rdp).front().epsilon, 0);
}

TEST(Group, RefusesAGroupOfNobody) {
  EXPECT_THROW((void)group_bounds(run(), {0, 1e-5}, rdp), base::InvalidArgument);
  EXPECT_THROW((void)group_bounds(run(), {2, 0}, rdp), base::InvalidArgument);
}

}  // namespace
}  // namespace ghostgrad::privacy
