// SPDX-License-Identifier: Apache-2.0
// What every accountant in the table must do, whatever its method.
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/accountants.h"
#include "ghostgrad/random/stream.h"

namespace ghostgrad::privacy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

class AccountantLaws : public testing::TestWithParam<std::string_view> {
 protected:
  static std::unique_ptr<Accountant> make() { return make_accountant(GetParam()); }

  static double epsilon_of(const Event& event, double delta = 1e-5) {
    const auto accountant = make();
    accountant->compose(event);
    return accountant->epsilon(delta).value;
  }

  /// What moves as the exact epsilon does: of prv the estimate, because its error bars depend on the grid.
  static double central_epsilon_of(const Accountant& accountant, double delta) {
    const auto bound = accountant.epsilon(delta);
    return bound.estimate.value_or(bound.value);
  }

  static double central_epsilon_of(const Event& event, double delta) {
    const auto accountant = make();
    accountant->compose(event);
    return central_epsilon_of(*accountant, delta);
  }

  /// A release that the accountant serves: without sampling, noise in the ratio to the sample rate stands for it.
  static Event step(double q = 0.02, double sigma = 1.3) {
    const auto sampled = poisson_sampled(q, gaussian(sigma));
    return make()->supports(sampled) ? sampled : gaussian(sigma / q);
  }

  /// Epsilon moves the right way with every number round these.
  static void expect_monotone(double q, double sigma, std::int64_t steps, double delta = 1e-5) {
    const auto cost = [](double rate, double noise, std::int64_t count, double at) {
      return central_epsilon_of(repeated(step(rate, noise), count), at);
    };
    const double here = cost(q, sigma, steps, delta);
    EXPECT_LE(cost(q, 1.1 * sigma, steps, delta), here);
    EXPECT_GE(cost(1.1 * q, sigma, steps, delta), here);
    EXPECT_GE(cost(q, sigma, steps + 1 + steps / 1000, delta), here);
    EXPECT_LE(cost(q, sigma, steps, 1.1 * delta), here);
    EXPECT_GE(here, 0);
  }

  /// Two events in either order and grouping cost the same, and the second adds to the first.
  static void expect_associative(const Event& first, const Event& second, double delta) {
    const double together = central_epsilon_of(composed({first, second}), delta);
    EXPECT_NEAR(central_epsilon_of(composed({composed({second}), composed({first})}), delta), together, 1e-12 * together);
    const auto accountant = make();
    accountant->compose(first);
    const double alone = central_epsilon_of(*accountant, delta);
    EXPECT_EQ(alone, central_epsilon_of(first, delta)) << "the second left out";
    constexpr double tolerance = 3e-5;  // an event that costs next to nothing may disappear in the grid's tolerance
    EXPECT_LE(alone, together * (1 + tolerance));
    accountant->compose(second);
    EXPECT_NEAR(central_epsilon_of(*accountant, delta), together, 1e-12 * together) << "whatever was asked before";
  }
};

/// Sampling of a composition: no accountant here bounds that.
Event unknown() { return poisson_sampled(0.1, composed({gaussian(1), gaussian(1)})); }

TEST_P(AccountantLaws, NothingComposedCostsNothing) {
  EXPECT_EQ(make()->epsilon(1e-5).value, 0);
  EXPECT_EQ(make()->delta(0).value, 0);
  EXPECT_EQ(epsilon_of(composed({})), 0);
  EXPECT_EQ(epsilon_of(repeated(step(), 0)), 0);
  EXPECT_EQ(epsilon_of(repeated(non_private(), 0)), 0);
}

TEST_P(AccountantLaws, NoNoiseIsInfinite) {
  for (const auto& event : {non_private(), gaussian(0), poisson_sampled(1e-6, gaussian(0)), composed({step(), repeated(gaussian(0), 2)})}) {
    const auto accountant = make();
    accountant->compose(step(), 3);
    accountant->compose(event);
    EXPECT_EQ(accountant->epsilon(1e-5).value, infinity) << to_text(event);
    EXPECT_EQ(accountant->delta(1).value, 1);
    EXPECT_FALSE(accountant->epsilon(1e-5).warnings.empty());
  }
}

TEST_P(AccountantLaws, AlmostNoNoiseIsHugeNeverSmall) {
  for (const double sigma : {1e-300, 1e-160, 1e-20, 1e-3}) {
    const double full = epsilon_of(gaussian(sigma));
    EXPECT_GT(full, 1e5) << sigma;
    EXPECT_GT(epsilon_of(step(0.5, sigma)), 1e5) << sigma;
  }
}

TEST_P(AccountantLaws, RefusesWhatItCannotServeAlsoWhenNestedAndComposesNothingOfIt) {
  const auto accountant = make();
  for (const auto& event : {unknown(), composed({step(), unknown()}), repeated(composed({repeated(unknown(), 3)}), 2)}) {
    EXPECT_FALSE(accountant->supports(event));
    EXPECT_THROW(accountant->compose(event), base::Unsupported) << to_text(event);
    EXPECT_EQ(accountant->epsilon(1e-5).value, 0) << "a part of the refused event was composed";
  }
  EXPECT_TRUE(accountant->supports(composed({step(), gaussian(2), non_private()})));
}

TEST_P(AccountantLaws, CompositionDependsNeitherOnOrderNorOnGrouping) {
  const auto a = step(0.01, 1.0);
  const auto b = step(0.05, 2.0);
  const auto c = gaussian(9);
  const double expected = epsilon_of(composed({a, b, b, c}));
  EXPECT_NEAR(epsilon_of(composed({c, b, a, b})), expected, 1e-12 * expected);
  EXPECT_NEAR(epsilon_of(composed({composed({a, b}), composed({b, c})})), expected, 1e-12 * expected);
  const auto accountant = make();
  accountant->compose(b, 2);
  accountant->compose(composed({c, a}));
  EXPECT_NEAR(accountant->epsilon(1e-5).value, expected, 1e-12 * expected);
}

TEST_P(AccountantLaws, RepeatingEqualsComposingOneByOne) {
  const auto accountant = make();
  for (int i = 0; i < 50; ++i) accountant->compose(step());
  EXPECT_NEAR(accountant->epsilon(1e-5).value, epsilon_of(repeated(step(), 50)), 1e-12);
}

TEST_P(AccountantLaws, LeavingTheLastEventOutUndoesIt) {
  const std::vector<Event> events = {step(0.01, 1.0), step(0.05, 2.0), step(0.02, 1.5)};
  const auto shorter = epsilon_of(composed({events[0], events[1]}));
  EXPECT_GT(epsilon_of(composed(events)), shorter);
  const auto accountant = make();
  accountant->compose(composed(std::vector<Event>(events.begin(), events.end() - 1)));
  EXPECT_EQ(accountant->epsilon(1e-5).value, shorter);
}

TEST_P(AccountantLaws, LowerAndEstimateLieBelowTheValue) {
  const auto accountant = make();
  accountant->compose(step(), 300);
  for (const auto& bound : {accountant->epsilon(1e-6), accountant->delta(0.7)}) {
    EXPECT_LE(bound.lower.value_or(0), bound.estimate.value_or(bound.value));
    EXPECT_LE(bound.estimate.value_or(0), bound.value);
  }
}

TEST_P(AccountantLaws, FullSamplingEqualsNoSampling) {
  EXPECT_NEAR(epsilon_of(repeated(step(1, 2), 4)), epsilon_of(repeated(gaussian(2), 4)), 1e-12);
}

TEST_P(AccountantLaws, MorePrivacyWithMoreNoiseSmallerBatchesFewerStepsLargerDelta) { expect_monotone(0.03, 1.1, 100); }

TEST_P(AccountantLaws, MorePrivacyWithMoreNoiseSmallerBatchesFewerStepsLargerDeltaSlow) {
  for (const double q : {0.001, 0.03, 0.4}) {
    for (const double sigma : {0.6, 1.1, 3.0}) {
      for (const int steps : {1, 100, 5000}) {
        SCOPED_TRACE(testing::Message() << q << " " << sigma << " " << steps);
        expect_monotone(q, sigma, steps);
      }
    }
  }
}

TEST_P(AccountantLaws, HoldOverTwoHundredRandomRunsSlow) {
  random::Stream stream(random::Key::for_tests(8), {random::Purpose::audit});
  const auto log_uniform = [&](double low, double high) {
    return low * std::pow(high / low, static_cast<double>(stream.next_u64() >> 11) * 0x1p-53);
  };
  for (int i = 0; i < 200; ++i) {
    const double q = log_uniform(1e-3, 0.3);
    const double sigma = log_uniform(0.7, 4);
    const auto steps = static_cast<std::int64_t>(log_uniform(1, 300));
    const double delta = log_uniform(1e-9, 1e-3);
    SCOPED_TRACE(testing::Message() << q << " " << sigma << " " << steps << " " << delta);
    expect_monotone(q, sigma, steps, delta);
    expect_associative(repeated(step(q, sigma), steps), step(log_uniform(1e-3, 0.3), log_uniform(0.7, 4)), delta);
  }
}

TEST_P(AccountantLaws, DeltaInvertsEpsilon) {
  for (const double delta : {1e-12, 1e-8, 1e-5, 1e-2}) {
    const auto accountant = make();
    accountant->compose(step(), 700);
    const double epsilon = accountant->epsilon(delta).value;
    ASSERT_GT(epsilon, 0);
    const double tolerance = accountant->name() == "prv" ? 5e-3 : 1e-6;  // its error bars, of delta and of epsilon
    EXPECT_NEAR(accountant->delta(epsilon).value, delta, tolerance * delta);
  }
}

TEST_P(AccountantLaws, DeltaLiesBetweenZeroAndOneForEveryEpsilon) {
  const auto accountant = make();
  accountant->compose(step(0.5, 0.5), 100);
  EXPECT_LE(accountant->delta(0).value, 1);
  EXPECT_GT(accountant->delta(0).value, 0.1);
  EXPECT_EQ(accountant->delta(infinity).value, 0);
}

TEST_P(AccountantLaws, RefusesQuestionsWithoutMeaning) {
  const auto accountant = make();
  accountant->compose(step());
  for (const double delta : {0.0, 1.0, -1e-5, 2.0, std::nan("")})
    EXPECT_THROW((void)accountant->epsilon(delta), base::InvalidArgument) << delta;
  for (const double epsilon : {-0.1, std::nan("")}) EXPECT_THROW((void)accountant->delta(epsilon), base::InvalidArgument) << epsilon;
  EXPECT_THROW(accountant->compose(step(), -1), base::InvalidArgument);
}

TEST_P(AccountantLaws, RefusesMoreThan63BitsOfReleasesAndStaysAsItWas) {
  const auto accountant = make();
  accountant->compose(step(), 10);
  const double before = accountant->epsilon(1e-5).value;
  EXPECT_THROW(accountant->compose(step(), std::numeric_limits<std::int64_t>::max()), base::InvalidArgument);
  EXPECT_EQ(accountant->epsilon(1e-5).value, before);
}

TEST_P(AccountantLaws, StatesItsNameAndAdjacency) {
  EXPECT_EQ(make()->name(), GetParam());
  EXPECT_EQ(make()->adjacency(), Adjacency::add_remove);
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (const auto& row : accountants()) all.push_back(row.name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, AccountantLaws, testing::ValuesIn(names()), [](const auto& each) { return std::string(each.param); });

TEST(Accountants, RefuseAnUnknownNameAndListTheKnown) {
  try {
    (void)make_accountant("moments");
    FAIL();
  } catch (const base::InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("rdp"), std::string::npos) << error.what();
  }
}

TEST(Adjacency, GoesToTextAndBack) {
  for (const auto adjacency : {Adjacency::add_remove, Adjacency::replace_one, Adjacency::zero_out}) {
    EXPECT_EQ(adjacency_named(to_text(adjacency)), adjacency);
  }
  EXPECT_THROW((void)adjacency_named("bounded"), base::InvalidArgument);
}

}  // namespace
}  // namespace ghostgrad::privacy
