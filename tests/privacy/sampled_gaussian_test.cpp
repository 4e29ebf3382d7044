// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/sampled_gaussian.h"

#include "tests/data_path.h"
#include "tests/privacy/csv.h"
#include <cmath>
#include <limits>
#include <numbers>

#include <boost/math/special_functions/erf.hpp>
#include <gtest/gtest.h>

#include "ghostgrad/privacy/rdp.h"

namespace ghostgrad::privacy {
namespace {

/// ln erfc(x); beyond x = 20 by the asymptotic series, because erfc underflows.
double log_erfc(double x) {
  if (x < 20) return std::log(boost::math::erfc(x));
  double sum = 1;
  double term = 1;
  for (int k = 1; k <= 12; ++k) sum += term *= -(2 * k - 1) / (2 * x * x);
  return -x * x - std::log(x * std::sqrt(std::numbers::pi)) + std::log(sum);
}

/// A(a) by the signed series of [MTZ19, Sec. 3.3]: both halves of the line, split where the mixture's parts are equal.
class Series {
 public:
  Series(double order, double sigma, double q) : order_(order), sigma_(sigma), q_(q), turn_(sigma * sigma * std::log(1 / q - 1) + 0.5) {}

  [[nodiscard]] double moment() const {
    double sum = 0;
    double binomial = 1;  // C(order, i), with its sign
    for (int i = 0; i < 2000; ++i) {
      const double term = binomial * (half(i, order_ - i, i - turn_) + half(order_ - i, i, turn_ - (order_ - i)));
      sum += term;
      if (i > order_ && std::abs(term) < 1e-18 * sum) break;
      binomial *= (order_ - i) / (i + 1);
    }
    return sum;
  }

 private:
  /// q^k (1-q)^m E_Q[e^(k L)] on one side of the turn.
  [[nodiscard]] double half(double k, double m, double distance) const {
    const double log_weight = k * std::log(q_) + m * std::log1p(-q_) + k * (k - 1) / (2 * sigma_ * sigma_);
    return std::exp(log_weight + log_erfc(distance / (std::sqrt(2.0) * sigma_))) / 2;
  }

  double order_;
  double sigma_;
  double q_;
  double turn_;
};

void expect_relative(double got, double exact, double tolerance) { EXPECT_NEAR(got, exact, tolerance * std::abs(exact)); }

TEST(SampledGaussian, AgreesWith40DigitQuadrature) {
  const auto path = tests::source_root() / "tests/privacy/rdp_golden.csv";
  const auto rows = tests::read_csv(path);
  ASSERT_GT(rows.size(), 100u);
  for (const auto& row : rows) {
    const double order = row.number("order");
    const double sigma = row.number("noise_multiplier");
    const double q = row.number("sample_rate");
    SCOPED_TRACE(testing::Message() << "sigma " << sigma << " q " << q << " order " << order);
    expect_relative(sampled_gaussian_rdp(order, sigma, q), row.number("rdp"), 1e-12);
  }
}

struct KnownDivergence {
  double sigma;
  double q;
  double order;
  double rdp;
};

// The shared known answers (40-digit quadrature by another program), at the tolerance that they state.
TEST(SampledGaussian, GivesTheKnownDivergences) {
  for (const auto& [sigma, q, order, rdp] : {
           KnownDivergence{1.5, .04, 3.9, 1.8332021995839e-3},
           {2.5, .01, 1.5, 1.3001417943761e-5},
           {2.0, .2, 1.5, 8.2814331732371e-3},
           {2.0, .2, 1.1, 5.9663326215603e-3},
           {.5, .2, 2.2, 1.5942568309103},
           {1.0, .5, 1.5, .23515803448253},
           {1.0, .9, 2.5, 1.1165102507306},
           {.1, .99, 256, 12799.989910251},
       }) {
    expect_relative(sampled_gaussian_rdp(order, sigma, q), rdp, 1e-9);
  }
}

TEST(SampledGaussian, AgreesWithTheSignedSeriesWhereThatConverges) {
  int compared = 0;
  for (const double sigma : {0.7, 1.0, 1.5, 2.0}) {
    for (const double q : {0.01, 0.04, 0.2, 0.5}) {
      for (const double order : {3.3, 3.9, 5.5, 7.7, 10.9}) {
        const double moment = Series(order, sigma, q).moment();
        expect_relative(std::exp(log_excess_quadrature(order, sigma, q)), moment - 1, 1e-9 + 1e-14 / (moment - 1));
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 80);
}

TEST(SampledGaussian, QuadratureAndBinomialSumAgreeAtIntegerOrders) {
  for (const double sigma : {0.02, 0.06, 0.3, 1.0, 7.0, 1e3, 1e8}) {
    for (const double q : {1e-30, 1e-9, 0.01, 0.3, 0.999, 1 - 1e-15}) {
      for (const int order : {2, 3, 5, 10, 40}) {
        const double sum = log_excess_integer(order, sigma, q);
        EXPECT_NEAR(log_excess_quadrature(order, sigma, q), sum, 1e-12 * std::max(1.0, std::abs(sum))) << sigma << " " << q << " " << order;
      }
    }
  }
}

TEST(SampledGaussian, IsClosedFormForTheFullBatch) {
  for (const double sigma : {0.3, 1.0, 20.0}) {
    for (const double order : {1.1, 2.0, 3.7, 1024.0}) EXPECT_DOUBLE_EQ(sampled_gaussian_rdp(order, sigma, 1), order / (2 * sigma * sigma));
  }
}

TEST(SampledGaussian, GrowsWithTheOrderAndTheSampleRateAndShrinksWithTheNoise) {
  const auto& orders = rdp_orders();
  for (const double sigma : {0.019, 0.021, 0.2, 1.0, 5.0}) {
    for (const double q : {1e-4, 0.1, 0.7}) {
      for (std::size_t i = 0; i + 1 < orders.size(); ++i) {
        const double here = sampled_gaussian_rdp(orders[i], sigma, q);
        ASSERT_LE(here, sampled_gaussian_rdp(orders[i + 1], sigma, q) * (1 + 1e-12)) << sigma << " " << q << " " << orders[i];
        ASSERT_LE(here, sampled_gaussian_rdp(orders[i], sigma, 1.01 * q) * (1 + 1e-12));
        ASSERT_GE(here, sampled_gaussian_rdp(orders[i], 1.01 * sigma, q) * (1 - 1e-12));
      }
    }
  }
}

TEST(SampledGaussian, AnswersAtTheEndsOfDoublePrecision) {
  for (const double order : {1.1, 2.0, 10.9, 1024.0}) {
    for (const double sigma : {5e-324, 1e-200, 1e-150, 1e-8, 0.0199, 1e8, 1e150, 1.7e308}) {
      for (const double q : {5e-324, 1e-101, 1e-99, 0.5, std::nextafter(1.0, 0.0)}) {
        const double rdp = sampled_gaussian_rdp(order, sigma, q);
        ASSERT_GE(rdp, 0) << order << " " << sigma << " " << q;
        ASSERT_LE(rdp, order / (2 * sigma * sigma) * (1 + 1e-12)) << "sampling never costs more than the full batch";
      }
    }
  }
  EXPECT_EQ(sampled_gaussian_rdp(2, 1e-200, 0.5), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace ghostgrad::privacy
