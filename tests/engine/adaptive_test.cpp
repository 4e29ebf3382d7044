// SPDX-License-Identifier: Apache-2.0
// Adaptive clipping: the threshold finds the quantile, the noise is split exactly, and the accountant sees the plan's event.
#include "ghostgrad/engine/adaptive.h"

#include "setup.h"
#include <cmath>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/noise/lattice.h"

namespace ghostgrad::engine::tests {
namespace {

using at::Tensor;

AdaptiveThreshold::Plan plan(double quantile, double noise_multiplier = 0) {
  return {{.quantile = quantile, .rate = 0.2}, 1.0, noise_multiplier, 100};
}

TEST(AdaptiveThreshold, SettlesAtTheQuantileOfTheNorms) {
  const Tensor norms = at::arange(1, 101, at::kDouble);  // the q-quantile is 100 q
  for (double noise : {0.0, 1.0}) {
    for (double quantile : {0.2, 0.5, 0.9}) {
      AdaptiveThreshold adaptive(plan(quantile, noise));
      const auto key = random::Key::for_tests(3);
      for (uint64_t step = 0; step < 300; ++step) {
        adaptive.count(norms, {});
        adaptive.release(key, step);
      }
      EXPECT_NEAR(adaptive.threshold(), 100 * quantile, noise > 0 ? 15 : 3) << noise << ' ' << quantile;
    }
  }
}

TEST(AdaptiveThreshold, MovesByTheEquationOfItsPaper) {
  AdaptiveThreshold adaptive(plan(0.5));
  adaptive.count(at::tensor({0.5, 1.0, 2.0}, at::kDouble), {});                           // two of three are not above 1
  adaptive.count(at::tensor({0.1, 7.0}, at::kDouble), at::tensor({1, 0}).to(at::kBool));  // one, and one that is masked
  adaptive.count(at::tensor({std::nan(""), HUGE_VAL}, at::kDouble), {});                  // none that counts
  adaptive.release(random::Key::for_tests(1), 0);
  const double fraction = (3 * 0.5 - 1 * 0.5) / 100 + 0.5;
  EXPECT_DOUBLE_EQ(adaptive.threshold(), std::exp(-0.2 * (fraction - 0.5)));
}

TEST(AdaptiveThreshold, ForgetsADiscardedBatch) {
  AdaptiveThreshold adaptive(plan(0.5));
  adaptive.count(at::zeros({50}, at::kDouble), {});
  adaptive.discard();
  adaptive.release(random::Key::for_tests(1), 0);
  EXPECT_DOUBLE_EQ(adaptive.threshold(), 1.0);
}

TEST(SplitNoise, OfSumAndCountTogetherIsWorthThePlans) {
  for (double sigma : {0.5, 1.0, 4.0}) {
    for (double count : {3.0, 10.0, 100.0}) {
      const SplitNoise split = split_noise({.count_noise = count}, sigma, 100);
      // One example moves (sum / C, counts) by (1, 1/2): the precision of both together is that of one Gaussian with sigma.
      EXPECT_NEAR(1 / (split.sum * split.sum) + 0.25 / (split.count * split.count), 1 / (sigma * sigma), 1e-12);
      EXPECT_GT(split.sum, sigma);
    }
  }
  EXPECT_EQ(split_noise({}, 1.0, 100).count, 5.0);
}

TEST(SplitNoise, RefusesWhatLeavesNoNoiseForTheSum) {
  EXPECT_THROW((void)split_noise({.count_noise = 0.5}, 1.0, 100), base::InvalidArgument);
  EXPECT_THROW((void)split_noise({.quantile = 1.5}, 1.0, 100), base::InvalidArgument);
  EXPECT_THROW((void)split_noise({.rate = 0}, 1.0, 100), base::InvalidArgument);
  EXPECT_THROW((void)split_noise({.rate = std::nan("")}, 1.0, 100), base::InvalidArgument);
}

PlanOptions options(double noise_multiplier) {
  PlanOptions options;
  options.noise_multiplier = noise_multiplier;
  options.expected_batch_size = 1000;
  options.sample_rate = 0.01;
  options.independence = "assumed";
  return options;
}

/// The standard deviation of the .grad of a release of nothing.
double spread(const PlanOptions& options) {
  Tensor parameter = at::zeros({200'000}, at::kDouble).requires_grad_();
  Engine engine(NamedParameters{{"p", parameter}}, Plan(options), random::Key::for_tests(8));
  engine.release();
  return parameter.grad().norm().item<double>() / std::sqrt(200'000.0);
}

TEST(AdaptiveClipping, RaisesTheNoiseOfTheSumAndCostsTheSame) {
  PlanOptions fixed = options(1.0), adaptive = fixed;
  adaptive.adaptive_clipping = AdaptiveClipping{.count_noise = 0.8};
  const double raised = 1 / std::sqrt(1 - 1 / (4 * 0.8 * 0.8));  // 1.28
  EXPECT_NEAR(spread(adaptive) / spread(fixed), raised, 0.02);
  EXPECT_TRUE(Plan(fixed).event() == Plan(adaptive).event());
}

TEST(AdaptiveClipping, ClipsToWhereTheThresholdHasMoved) {
  Tensor weight = at::ones({4}, at::kDouble).requires_grad_();
  PlanOptions without_noise = options(0);
  without_noise.expected_batch_size = 1;
  without_noise.adaptive_clipping = AdaptiveClipping{.quantile = 0.0, .rate = 1.0};  // every norm below C makes it smaller
  Engine engine(NamedParameters{{"w", weight}}, Plan(without_noise));
  const Tensor x = at::full({1, 4}, 0.1, at::kDouble);
  double threshold = 1.0;
  for (int step = 0; step < 4; ++step) {
    EXPECT_NEAR(engine.threshold(), threshold, 1e-12);
    engine.backward((x * weight).sum(1));
    engine.release();
    EXPECT_NEAR(weight.grad().norm().item<double>(), std::min(0.2, threshold), 1e-12) << step;
    weight.mutable_grad().reset();
    threshold *= std::exp(-(0.5 + (0.2 <= threshold ? 0.5 : -0.5)));
  }
}

TEST(AdaptiveClipping, NeedsOneThreshold) {
  PlanOptions grouped = options(1.0);
  grouped.adaptive_clipping.emplace();
  grouped.groups = "per_layer";
  EXPECT_THROW(Plan{grouped}, base::InvalidArgument);
}

TEST(AdaptiveClipping, GoesOnFromWhereItWasWhenResumed) {
  const Tensor weight = at::ones({4}, at::kDouble).requires_grad_();
  PlanOptions adaptive = options(1.0);
  adaptive.adaptive_clipping.emplace();
  Engine first(NamedParameters{{"w", weight}}, Plan(adaptive), random::Key::for_tests(3)),
      second(NamedParameters{{"w", weight}}, Plan(adaptive), random::Key::for_tests(4));
  first.release();
  EXPECT_NE(first.threshold(), first.plan().options().clip);
  second.resume(first.past());
  EXPECT_EQ(second.threshold(), first.threshold());
}

TEST(GroupsOfAPlan, SetTheNoiseByTheirSensitivity) {
  Tensor a = at::zeros({100'000}, at::kDouble).requires_grad_(), b = at::zeros({100'000}, at::kDouble).requires_grad_();
  PlanOptions grouped = options(1.0);
  grouped.expected_batch_size = 1;
  grouped.groups = "a=3,b=4";
  Engine engine(NamedParameters{{"a.weight", a}, {"b.weight", b}}, Plan(grouped), random::Key::for_tests(9));
  EXPECT_DOUBLE_EQ(engine.threshold(), 5);
  engine.release();
  for (const Tensor& p : {a, b}) EXPECT_NEAR(p.grad().norm().item<double>() / std::sqrt(100'000.0), 5, 0.06);
}

}  // namespace
}  // namespace ghostgrad::engine::tests
