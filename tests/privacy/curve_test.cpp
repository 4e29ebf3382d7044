// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/curve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <boost/math/distributions/normal.hpp>
#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/accountants.h"
#include "ghostgrad/privacy/equivalent_mu.h"

namespace ghostgrad::privacy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const boost::math::normal normal;

/// N(0, 1) against N(mu, 1): its trade-off is Phi(Phi^-1(1 - alpha) - mu) [DRS22].
DeltaOf gaussian_curve(double mu) {
  return [mu](double epsilon) {
    return cdf(normal, mu / 2 - epsilon / mu) - std::exp(epsilon + std::log(cdf(normal, -mu / 2 - epsilon / mu)));
  };
}

/// Randomized response: delta falls linearly in e^epsilon and is `rest` from `end` on.
DeltaOf randomized_response(double end, double rest) {
  return [=](double epsilon) {
    const double slope = (1 - rest) / (1 + std::exp(end));
    return epsilon >= end ? rest : rest + slope * (std::exp(end) - std::exp(epsilon));
  };
}

TEST(TradeOff, OfTheGaussianIsItsClosedForm) {
  for (const double mu : {0.01, 0.5, 1.0, 3.0}) {
    const TradeOff trade_off(gaussian_curve(mu));
    for (const double alpha : {1e-6, 1e-3, 0.05, 0.3, 0.9}) {
      const double exact = cdf(normal, quantile(complement(normal, alpha)) - mu);
      EXPECT_NEAR(trade_off.false_negative_rate(alpha), exact, 1e-9) << mu << " " << alpha;
      EXPECT_EQ(trade_off.best_true_positive_rate(alpha), 1 - trade_off.false_negative_rate(alpha));
    }
    EXPECT_NEAR(trade_off.best_accuracy(), cdf(normal, mu / 2), 1e-9);
  }
}

TEST(TradeOff, OfRandomizedResponseIsThePolygonOfEpsilonAndDelta) {
  for (const double epsilon : {0.1, 1.0, 4.0}) {
    for (const double delta : {0.0, 1e-5, 0.1}) {
      const TradeOff trade_off(randomized_response(epsilon, delta));
      for (const double alpha : {0.0, 1e-3, 0.1, 0.5, 1.0}) {
        const double exact = std::max({0.0, 1 - delta - std::exp(epsilon) * alpha, std::exp(-epsilon) * (1 - delta - alpha)});
        EXPECT_NEAR(trade_off.false_negative_rate(alpha), exact, 1e-6) << epsilon << " " << delta << " " << alpha;
        EXPECT_LE(trade_off.false_negative_rate(alpha), exact + 1e-12) << "the bound is not valid";
      }
      EXPECT_NEAR(trade_off.best_accuracy(), 1 - (1 - delta) / (1 + std::exp(epsilon)), 1e-9);
    }
  }
}

TEST(TradeOff, IsTheDiagonalForNothingAndZeroForNoPrivacy) {
  const TradeOff nothing([](double) { return 0.0; });
  const TradeOff everything([](double) { return 1.0; });
  for (const double alpha : {0.0, 0.2, 1.0}) {
    EXPECT_NEAR(nothing.false_negative_rate(alpha), 1 - alpha, 1e-12);
    EXPECT_EQ(everything.false_negative_rate(alpha), 0);
  }
  EXPECT_NEAR(nothing.best_accuracy(), 0.5, 1e-12);
  EXPECT_EQ(everything.best_accuracy(), 1);
}

TEST(TradeOff, FallsAndIsItsOwnInverse) {
  // Neighbours may be exchanged, so f(f(alpha)) = alpha where f > 0.
  const TradeOff trade_off(gaussian_curve(1.3));
  double before = 1;
  for (const double alpha : {1e-4, 0.01, 0.1, 0.4, 0.8}) {
    const double here = trade_off.false_negative_rate(alpha);
    EXPECT_LT(here, before);
    EXPECT_NEAR(trade_off.false_negative_rate(here), alpha, 1e-8);
    before = here;
  }
}

// Known answer of an independent program: connected dots with intervals of 1e-4.
TEST(TradeOff, OfSubsampledTrainingIsTheKnownOneSlow) {
  const auto accountant = make_accountant("pld");
  accountant->compose(poisson_sampled(0.01, gaussian(1)), 1000);
  EXPECT_NEAR(TradeOff(delta_of(*accountant)).best_true_positive_rate(1e-3), 0.00406847, 1e-4 * 0.00406847);
}

TEST(TradeOff, RefusesRatesThatAreNone) {
  const TradeOff trade_off(gaussian_curve(1));
  for (const double alpha : {-0.1, 1.1, std::nan("")}) EXPECT_THROW((void)trade_off.false_negative_rate(alpha), base::InvalidArgument);
}

TEST(Curve, HasItsPointsEvenly) {
  const auto points = even_curve(gaussian_curve(1), 4, 5);
  ASSERT_EQ(points.size(), 5u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(points[i].epsilon, i);
    EXPECT_EQ(points[i].delta, gaussian_curve(1)(i));
  }
}

TEST(Curve, IsTheAccountants) {
  const auto accountant = make_accountant("rdp");
  accountant->compose(poisson_sampled(0.01, gaussian(1)), 1000);
  EXPECT_EQ(delta_of(*accountant)(2), accountant->delta(2).value);
}

TEST(EquivalentMu, OfAGaussianIsItsOwn) {
  for (const double mu : {0.001, 0.1, 1.0, 5.0}) EXPECT_NEAR(equivalent_mu(gaussian_curve(mu), 10 * mu), mu, 1e-8 * mu);
}

TEST(EquivalentMu, IsTheLeastWhoseCurveLiesAbove) {
  const auto curve = randomized_response(1.5, 1e-6);
  const double mu = equivalent_mu(curve, 3);
  const auto above = gaussian_curve(mu);
  const auto below = gaussian_curve(0.999 * mu);
  double least = infinity;
  double least_below = infinity;
  for (int i = 0; i <= 3000; ++i) {
    const double epsilon = i / 1000.0;
    least = std::min(least, above(epsilon) / curve(epsilon));
    least_below = std::min(least_below, below(epsilon) / curve(epsilon));
  }
  EXPECT_GE(least, 1 - 1e-3);
  EXPECT_LT(least_below, 1);
}

TEST(EquivalentMu, IsZeroForNothingAndInfiniteForNoPrivacy) {
  EXPECT_EQ(equivalent_mu([](double) { return 0.0; }, 1), 0);
  EXPECT_EQ(equivalent_mu([](double) { return 1.0; }, 1), infinity);
  EXPECT_EQ(equivalent_mu(gaussian_curve(1), infinity), infinity);
}

}  // namespace
}  // namespace ghostgrad::privacy
