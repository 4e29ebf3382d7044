// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/events.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::privacy {
namespace {

using base::InvalidArgument;

TEST(Event, HoldsWhatItWasMadeFrom) {
  const auto event = repeated(poisson_sampled(0.01, gaussian(1.5)), 7);
  const auto& repetition = std::get<Repeated>(event.node());
  EXPECT_EQ(repetition.count, 7);
  const auto& sampled = std::get<PoissonSampled>(repetition.event->node());
  EXPECT_EQ(sampled.sample_rate, 0.01);
  EXPECT_EQ(std::get<Gaussian>(sampled.event->node()).noise_multiplier, 1.5);
  EXPECT_EQ(event.depth(), 3);
}

TEST(Event, EqualsAnotherExactlyWhenEveryNumberIsTheSame) {
  const auto make = [](double q, double sigma, std::int64_t count) {
    return composed({non_private(), repeated(poisson_sampled(q, gaussian(sigma)), count)});
  };
  EXPECT_EQ(make(0.1, 1, 3), make(0.1, 1, 3));
  EXPECT_NE(make(0.1, 1, 3), make(0.2, 1, 3));
  EXPECT_NE(make(0.1, 1, 3), make(0.1, 2, 3));
  EXPECT_NE(make(0.1, 1, 3), make(0.1, 1, 4));
  EXPECT_NE(gaussian(1), non_private());
  EXPECT_NE(composed({gaussian(1)}), composed({gaussian(1), gaussian(1)}));
  EXPECT_NE(composed({gaussian(1)}), gaussian(1)) << "events are compared as written, not as meant";
}

TEST(Event, SaysItselfInWords) {
  EXPECT_EQ(to_text(repeated(poisson_sampled(0.01, gaussian(1.5)), 7)), "7 x Poisson(0.01) of Gaussian(1.5)");
  EXPECT_EQ(to_text(composed({non_private(), gaussian(2)})), "[non-private, Gaussian(2)]");
}

TEST(Event, RefusesNumbersOutsideTheirRangeAndSaysWhatToPass) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double sigma : {-1.0, -1e-300, nan, infinity, -infinity}) EXPECT_THROW((void)gaussian(sigma), InvalidArgument) << sigma;
  for (const double q : {0.0, -0.1, 1.0000001, nan, infinity}) EXPECT_THROW((void)poisson_sampled(q, gaussian(1)), InvalidArgument) << q;
  EXPECT_THROW((void)repeated(gaussian(1), -1), InvalidArgument);
  EXPECT_THROW(Event(Repeated{nullptr, 1}), InvalidArgument);
  EXPECT_THROW(Event(PoissonSampled{0.5, nullptr}), InvalidArgument);
  try {
    (void)poisson_sampled(1.5, gaussian(1));
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "[sample_rate] must lie in (0, 1], but got 1.5; pass expected batch size / data set size");
  }
}

TEST(Event, RefusesSizesThatNoBatchCanHave) {
  EXPECT_THROW((void)fixed_size_sampled(10, 11, gaussian(1)), InvalidArgument);
  EXPECT_THROW((void)fixed_size_sampled(10, 0, gaussian(1)), InvalidArgument);
  EXPECT_THROW((void)fixed_size_sampled(std::numeric_limits<std::int64_t>::max(), 1, gaussian(1)), InvalidArgument);
  EXPECT_THROW((void)truncated_poisson_sampled(0, 0.1, 5, gaussian(1)), InvalidArgument);
  EXPECT_THROW((void)truncated_poisson_sampled(10, 1.1, 5, gaussian(1)), InvalidArgument);
  EXPECT_THROW((void)truncated_poisson_sampled(10, 0.1, 0, gaussian(1)), InvalidArgument);
  EXPECT_NE(truncated_poisson_sampled(10, 0.1, 5, gaussian(1)), truncated_poisson_sampled(10, 0.1, 6, gaussian(1)));
  EXPECT_NE(fixed_size_sampled(10, 5, gaussian(1)), fixed_size_sampled(11, 5, gaussian(1)));
}

TEST(Event, IsAtMost64LevelsDeep) {
  auto event = gaussian(1);
  for (int level = 2; level <= Event::max_depth; ++level) event = composed({event});
  EXPECT_EQ(event.depth(), 64);
  EXPECT_THROW((void)composed({event}), InvalidArgument);
  EXPECT_THROW((void)repeated(event, 1), InvalidArgument);
  EXPECT_EQ(parts(event, 5).at(0).count, 5) << "the deepest event can still be taken apart";
}

TEST(Parts, MultiplyCountsAndDropWhatNeverHappens) {
  const auto step = poisson_sampled(0.1, gaussian(1));
  const auto event = repeated(composed({gaussian(2), repeated(step, 5), repeated(non_private(), 0)}), 3);
  const auto all = parts(event);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].event, gaussian(2));
  EXPECT_EQ(all[0].count, 3);
  EXPECT_EQ(all[1].event, step);
  EXPECT_EQ(all[1].count, 15);
  EXPECT_TRUE(parts(composed({})).empty());
  EXPECT_EQ(parts(event, 2).at(1).count, 30);
  EXPECT_TRUE(parts(event, 0).empty());
  EXPECT_THROW((void)parts(event, -1), InvalidArgument);
}

TEST(Parts, RefuseCountsBeyond63Bits) {
  const std::int64_t half = std::int64_t{1} << 32;
  EXPECT_EQ(parts(repeated(repeated(gaussian(1), half / 4), half)).at(0).count, half * (half / 4));
  EXPECT_THROW((void)parts(repeated(repeated(gaussian(1), half), half)), InvalidArgument);
}

TEST(PromisesNothing, SeesMissingNoiseAtAnyDepthButNotWhereItNeverHappens) {
  EXPECT_TRUE(promises_nothing(non_private()));
  EXPECT_TRUE(promises_nothing(gaussian(0)));
  EXPECT_TRUE(promises_nothing(poisson_sampled(0.1, gaussian(0))));
  EXPECT_TRUE(promises_nothing(truncated_poisson_sampled(10, 0.1, 5, gaussian(0))));
  EXPECT_TRUE(promises_nothing(fixed_size_sampled(10, 5, non_private())));
  EXPECT_TRUE(promises_nothing(composed({gaussian(1), repeated(poisson_sampled(0.1, composed({non_private()})), 2)})));
  EXPECT_FALSE(promises_nothing(composed({gaussian(1), repeated(non_private(), 0)})));
  EXPECT_FALSE(promises_nothing(composed({})));
}

}  // namespace
}  // namespace ghostgrad::privacy
