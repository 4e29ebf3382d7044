// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/gaussian_curve.h"

#include <cmath>

#include <boost/math/special_functions/erf.hpp>
#include <gtest/gtest.h>

#include "ghostgrad/privacy/analytic.h"
#include "ghostgrad/privacy/gdp.h"
#include "ghostgrad/privacy/rdp.h"

namespace ghostgrad::privacy {
namespace {

double epsilon_of(const Event& event, double delta, Adjacency adjacency = Adjacency::add_remove) {
  AnalyticAccountant accountant(adjacency);
  accountant.compose(event);
  return accountant.epsilon(delta).value;
}

// Computed with 60 digits from the two normal distribution functions.
TEST(GaussianCurve, KeepsItsDigitsWhereTheTwoTermsCancelOrUnderflow) {
  EXPECT_NEAR(gaussian_epsilon(1, 1e-10), 6.5479240668649, 1e-12);
  EXPECT_NEAR(gaussian_epsilon(1, 1e-14), 7.8687364684129, 1e-12);
  EXPECT_NEAR(gaussian_log_delta(1e-8, 0), std::log(1e-8 / std::sqrt(2 * M_PI)), 1e-12);
  EXPECT_NEAR(gaussian_log_delta(0.1, 10), -5007.4334136434180793, 1e-8);
}

TEST(GaussianCurve, EqualsTheTextbookFormulaInLongDoubleWhereThatHasDigits) {
  const auto normal = [](long double x) { return boost::math::erfc(-x / std::sqrt(2.0L)) / 2; };
  for (const double mu : {0.3, 0.99, 1.01, 2.0, 6.0}) {
    for (const double epsilon : {0.0, 0.01, 0.5, 1.0, 2.5}) {
      const long double exact =
          normal(mu / 2 - epsilon / mu) - std::exp(static_cast<long double>(epsilon)) * normal(-mu / 2 - epsilon / mu);
      EXPECT_NEAR(std::exp(gaussian_log_delta(mu, epsilon)), static_cast<double>(exact), 1e-12 * static_cast<double>(exact) + 1e-17)
          << mu << " " << epsilon;
    }
  }
}

TEST(GaussianCurve, MillsRatioIsSmoothWhereItsFormulasMeet) {
  for (const double x : {12 - 1e-9, 12.0, 12 + 1e-9}) EXPECT_NEAR(mills_ratio(x), 0.0827662865, 1e-10);
  EXPECT_NEAR(mills_ratio(std::nextafter(12.0, 13.0)) / mills_ratio(12), 1, 1e-13);
  EXPECT_NEAR(mills_ratio(0), std::sqrt(M_PI / 2), 1e-15);
}

TEST(AnalyticAccountant, ComposesGaussiansToOneGaussian) {
  EXPECT_NEAR(epsilon_of(repeated(gaussian(20), 400), 1e-12), gaussian_epsilon(1, 1e-12), 1e-12);
  EXPECT_NEAR(epsilon_of(composed({gaussian(3), poisson_sampled(1, gaussian(4))}), 1e-5), epsilon_of(gaussian(12.0 / 5), 1e-5), 1e-12);
}

TEST(AnalyticAccountant, DoublesTheDistanceWhenAnExampleIsReplaced) {
  EXPECT_EQ(epsilon_of(gaussian(3), 1e-5, Adjacency::replace_one), epsilon_of(gaussian(1.5), 1e-5));
  EXPECT_EQ(epsilon_of(gaussian(3), 1e-5, Adjacency::zero_out), epsilon_of(gaussian(3), 1e-5));
}

TEST(AnalyticAccountant, RefusesSampling) {
  const AnalyticAccountant accountant;
  EXPECT_FALSE(accountant.supports(poisson_sampled(0.5, gaussian(1))));
}

TEST(AnalyticAccountant, NeverExceedsRdp) {
  for (const double sigma : {0.2, 1.0, 5.0, 60.0}) {
    for (const double delta : {1e-12, 1e-5, 0.1}) {
      RdpAccountant rdp;
      rdp.compose(gaussian(sigma));
      EXPECT_LE(epsilon_of(gaussian(sigma), delta), rdp.epsilon(delta).value);
    }
  }
}

TEST(GdpAccountant, SaysInEveryAnswerThatItIsNoGuarantee) {
  GdpAccountant accountant;
  accountant.compose(poisson_sampled(0.01, gaussian(1)), 1000);
  for (const auto& bound : {accountant.epsilon(1e-5), accountant.delta(1)}) {
    EXPECT_TRUE(bound.is_approximation);
    EXPECT_FALSE(bound.warnings.empty());
    EXPECT_FALSE(bound.lower.has_value()) << "nothing is known below either";
  }
}

}  // namespace
}  // namespace ghostgrad::privacy
