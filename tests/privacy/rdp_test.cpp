// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/rdp.h"

#include "tests/data_path.h"
#include "tests/privacy/csv.h"
#include <cmath>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::privacy {
namespace {

std::vector<double> curve_of(const Event& event) {
  RdpAccountant accountant;
  accountant.compose(event);
  return accountant.curve();
}

TEST(RdpAccountant, GivesTheKnownEpsilons) {
  GHOSTGRAD_NEED_DATA(path, "accounting/known_answers.csv");
  int checked = 0;
  for (const auto& row : tests::read_csv(path)) {
    if (row.text("accountant") != "rdp") continue;
    RdpAccountant accountant;
    const auto step = poisson_sampled(row.number("sample_rate"), gaussian(row.number("noise_multiplier")));
    accountant.compose(step, std::stoll(row.text("steps")));
    const double expected = row.number("epsilon");
    EXPECT_NEAR(accountant.epsilon(row.number("delta")).value, expected, row.number("relative_tolerance") * expected)
        << row.text("noise_multiplier") << " " << row.text("sample_rate") << " " << row.text("steps");
    ++checked;
  }
  EXPECT_EQ(checked, 12);
}

// The orders that the known answers name.
TEST(RdpAccountant, FindsTheKnownBestOrders) {
  const auto order = [](double sigma, double q, int steps, double delta) {
    return epsilon_of_curve(curve_of(repeated(poisson_sampled(q, gaussian(sigma)), steps)), delta).order;
  };
  EXPECT_EQ(order(1.3, 0.0025, 6000, 1e-5), 19);
  EXPECT_EQ(order(1.0, 0.001, 30000, 1e-7), 13);
  EXPECT_EQ(order(0.8, 0.001, 1000, 1e-6), 8.6);
  EXPECT_EQ(order(2.0, 0.2, 100, 1e-6), 4.8);
  EXPECT_EQ(order(0.5, 0.2, 3, 1e-5), 2.2);
}

TEST(RdpAccountant, TriesTheOrdersOfTheTable) {
  const auto& orders = rdp_orders();
  ASSERT_EQ(orders.size(), 156u);
  EXPECT_EQ(orders.front(), 1.1);
  EXPECT_EQ(orders[98], 10.9);
  EXPECT_EQ(orders[99], 11);
  EXPECT_EQ(orders[151], 63);
  EXPECT_EQ(orders.back(), 1024);
}

TEST(RdpAccountant, AddsDivergences) {
  const auto a = curve_of(poisson_sampled(0.01, gaussian(1)));
  const auto b = curve_of(gaussian(5));
  const auto both = curve_of(composed({repeated(poisson_sampled(0.01, gaussian(1)), 3), gaussian(5)}));
  for (std::size_t i = 0; i < both.size(); ++i) EXPECT_NEAR(both[i], 3 * a[i] + b[i], 1e-14 * both[i]);
}

TEST(RdpAccountant, WarnsWhenTheBestOrderIsAtTheEdge) {
  const auto warnings = [](double sigma, double delta) {
    RdpAccountant accountant;
    accountant.compose(gaussian(sigma));
    return accountant.epsilon(delta).warnings.size();
  };
  EXPECT_EQ(warnings(1, 1e-5), 0u);
  EXPECT_EQ(warnings(1000, 1e-5), 1u) << "order 1024";
  EXPECT_EQ(warnings(0.01, 1e-5), 1u) << "order 1.1";
}

TEST(RdpAccountant, NeverAnswersBelowZero) {
  RdpAccountant accountant;
  accountant.compose(gaussian(1e6));
  EXPECT_EQ(accountant.epsilon(0.99).value, 0);
  EXPECT_TRUE(accountant.epsilon(0.99).warnings.empty()) << "the best order is 1.1, but no order can do better than 0";
}

TEST(RdpAccountant, ServesZeroOutLikeAddRemoveAndRefusesPoissonSamplingUnderReplaceOne) {
  RdpAccountant zero_out(Adjacency::zero_out);
  EXPECT_EQ(zero_out.adjacency(), Adjacency::zero_out);
  EXPECT_FALSE(RdpAccountant(Adjacency::replace_one).supports(poisson_sampled(0.1, gaussian(1))));
}

double replaced_epsilon(const Event& event) {
  RdpAccountant accountant(Adjacency::replace_one);
  accountant.compose(event);
  return accountant.epsilon(1e-5).value;
}

// The known answer, 3.576111, has the noise relative to the distance of neighbours' sums; ours is relative to C, half of that.
TEST(RdpAccountant, GivesTheKnownEpsilonOfFixedSizeSampling) {
  EXPECT_NEAR(replaced_epsilon(repeated(fixed_size_sampled(10000, 100, gaussian(2)), 1000)), 3.576111, 1e-4 * 3.576111);
  EXPECT_NEAR(replaced_epsilon(repeated(fixed_size_sampled(10000, 100, gaussian(4)), 1000)), 1.445298, 1e-4 * 1.445298);
  EXPECT_NEAR(replaced_epsilon(repeated(fixed_size_sampled(10000, 100, gaussian(1)), 1000)), 20.987072, 1e-4 * 20.987072);
}

TEST(RdpAccountant, AFixedSizeBatchOfEverythingIsTheWholeDataSet) {
  EXPECT_EQ(replaced_epsilon(fixed_size_sampled(50, 50, gaussian(3))), replaced_epsilon(gaussian(3)));
  EXPECT_LE(replaced_epsilon(fixed_size_sampled(50, 49, gaussian(3))), replaced_epsilon(gaussian(3)));
}

// The exact delta of a single Gaussian [Balle, Wang 2018] lies below the bound for every epsilon.
TEST(RdpAccountant, BoundsTheExactDeltaOfTheGaussian) {
  const auto normal = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
  for (const double sigma : {0.5, 1.0, 4.0, 20.0}) {
    RdpAccountant accountant;
    accountant.compose(gaussian(sigma));
    for (const double epsilon : {0.0, 0.1, 0.5, 1.0, 3.0, 8.0}) {
      const double exact = normal(0.5 / sigma - epsilon * sigma) - std::exp(epsilon) * normal(-0.5 / sigma - epsilon * sigma);
      EXPECT_GE(accountant.delta(epsilon).value, exact) << sigma << " " << epsilon;
    }
  }
}

}  // namespace
}  // namespace ghostgrad::privacy
