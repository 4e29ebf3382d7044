// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/sample/poisson.h"

#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::sample {
namespace {

PoissonSampler make(int64_t size, double rate, int64_t steps, uint64_t seed = 1) {
  return PoissonSampler({.data_set_size = size, .sample_rate = rate, .steps = steps, .physical_batch_size = 8},
                        random::Key::for_tests(seed));
}

// Chi-square with 49 degrees of freedom beyond 99.3 has probability 2.5e-5.
TEST(PoissonSampler, IncludesEachExampleWithRateQ) {
  constexpr int64_t kSize = 50, kSteps = 4000;
  constexpr double kRate = 0.3;
  std::vector<double> counts(kSize, 0);
  for (const LogicalBatch& batch : make(kSize, kRate, kSteps)) {
    for (int64_t example : batch.examples) ++counts[example];
  }
  double chi_square = 0;
  for (double count : counts) chi_square += std::pow(count - kSteps * kRate, 2) / (kSteps * kRate * (1 - kRate));
  EXPECT_LT(chi_square, 99.3);
  EXPECT_GT(chi_square, 15.0);  // fewer would mean that inclusions are not random; probability 3e-7
}

// The size of a batch is Binomial(N, q) only if inclusions are independent of each other.
TEST(PoissonSampler, DrawsBatchSizesFromTheBinomialDistribution) {
  constexpr int64_t kSize = 10, kSteps = 5000;
  constexpr double kRate = 0.25;
  std::vector<double> seen(kSize + 1, 0);
  for (const LogicalBatch& batch : make(kSize, kRate, kSteps, 2)) ++seen[batch.examples.size()];
  double chi_square = 0, rest_seen = 0, rest_expected = 0;
  for (int64_t k = 0; k <= kSize; ++k) {
    const double log_choose = std::lgamma(kSize + 1) - std::lgamma(k + 1) - std::lgamma(kSize - k + 1);
    const double expected = kSteps * std::exp(log_choose + k * std::log(kRate) + (kSize - k) * std::log1p(-kRate));
    if (expected < 20) {
      rest_seen += seen[k];
      rest_expected += expected;
    } else {
      chi_square += std::pow(seen[k] - expected, 2) / expected;
    }
  }
  chi_square += std::pow(rest_seen - rest_expected, 2) / rest_expected;
  EXPECT_LT(chi_square, 29.9);  // 7 degrees of freedom: probability 1e-4
}

TEST(PoissonSampler, DrawsAllExamplesAtRateOne) {
  const LogicalBatch batch = make(7, 1.0, 1).draw(0);
  EXPECT_EQ(batch.examples, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}));
}

TEST(PoissonSampler, DrawsEmptyBatchesToo) {
  int empty = 0;
  for (const LogicalBatch& batch : make(10, 0.05, 200)) empty += batch.examples.empty();
  EXPECT_GT(empty, 60);  // expected 120, deviation 6.9
}

TEST(PoissonSampler, DrawsDifferentBatchesAtDifferentStepsAndFromDifferentKeys) {
  std::set<std::vector<int64_t>> batches;
  for (uint64_t seed : {1, 2, 3}) {
    for (const LogicalBatch& batch : make(200, 0.5, 20, seed)) batches.insert(batch.examples);
  }
  EXPECT_EQ(batches.size(), 60u);
  EXPECT_EQ(make(200, 0.5, 1, 4).draw(3).examples, make(200, 0.5, 9, 4).draw(3).examples);
}

TEST(PoissonSampler, TakesItsKeyFromTheOperatingSystemUnlessATestSaysOtherwise) {
  const PoissonOptions options{.data_set_size = 400, .sample_rate = 0.5, .steps = 1};
  const PoissonSampler first(options), second(options);
  EXPECT_TRUE(first.is_private());
  EXPECT_NE(first.draw(0).examples, second.draw(0).examples);
  EXPECT_FALSE(make(4, 0.5, 1).is_private());
}

TEST(PoissonSampler, StatesTheEventThatTheAccountantNeeds) {
  const auto event = make(1000, 0.032, 5).event(privacy::gaussian(1.1));
  EXPECT_EQ(event, privacy::poisson_sampled(0.032, privacy::gaussian(1.1)));
  EXPECT_DOUBLE_EQ(make(1000, 0.032, 5).expected_batch_size(), 32.0);
}

TEST(PoissonSampler, RefusesOptionsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (double rate : {0.0, -0.1, 1.5, nan}) EXPECT_THROW(make(10, rate, 1), base::InvalidArgument) << rate;
  EXPECT_THROW(make(0, 0.5, 1), base::InvalidArgument);
  EXPECT_THROW(make(10, 0.5, -1), base::InvalidArgument);
  EXPECT_THROW(PoissonSampler({.data_set_size = 10, .sample_rate = 0.5, .steps = 1, .physical_batch_size = 0}), base::InvalidArgument);
}

}  // namespace
}  // namespace ghostgrad::sample
