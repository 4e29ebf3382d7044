// SPDX-License-Identifier: Apache-2.0
// What a release adds to the sum, what it divides by, and that nothing else can make one.
#include "ghostgrad/engine/release.h"

#include "setup.h"
#include <cmath>
#include <type_traits>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::engine::tests {
namespace {

namespace nn = torch::nn;
using at::Tensor;

// Types are the proof: no noisy gradient without a release, no clipped sum without a clipper, no second threshold for the noise to read.
static_assert(!std::is_default_constructible_v<NoisyGradient> && !std::is_constructible_v<NoisyGradient, clip::ClippedSum>);
static_assert(!std::is_constructible_v<clip::ClippedSum, std::vector<Tensor>, std::optional<noise::Lattice>, double, bool, double>);
static_assert(sizeof(ReleaseOptions) == sizeof(double) * 3 + sizeof(uint64_t),
              "a release takes sigma, the divisor, the positions and the step, all public; C comes with the sum");

/// A release of nothing for one parameter of n elements.
Tensor noise_of(int64_t n, const PlanOptions& options, uint64_t seed, int64_t releases = 1) {
  Tensor parameter = at::zeros({n}, at::kDouble).requires_grad_();
  Engine engine(NamedParameters{{"p", parameter}}, Plan(options), random::Key::for_tests(seed));
  for (int64_t i = 0; i < releases; ++i) engine.release();
  return parameter.grad();
}

PlanOptions plan(double noise_multiplier, double clip = 1.0, double expected_batch_size = 1.0) {
  PlanOptions options;
  options.noise_multiplier = noise_multiplier;
  options.clip = clip;
  options.expected_batch_size = expected_batch_size;
  return options;
}

/// The normal deviate of the chi-square statistic of n draws of standard deviation `expected` [Wilson-Hilferty].
double deviate(const Tensor& draws, double expected) {
  const auto n = static_cast<double>(draws.numel());
  const double ratio = draws.div(expected).square().sum().item<double>() / n, spread = 2 / (9 * n);
  return (std::cbrt(ratio) - (1 - spread)) / std::sqrt(spread);
}

/// False alarms of each |deviate| below, were the seeds not fixed: 1e-6 (two-sided).
constexpr double kOneInAMillion = 4.8916;

TEST(Release, AddsNoiseOfStandardDeviationSigmaTimesCOverB) {
  for (const PlanOptions& options : {plan(1.1, 1.0, 256), plan(0.3, 25.0, 7.5), plan(4.0, 1e-3, 1)}) {
    const double expected = options.noise_multiplier * *options.clip / options.expected_batch_size;
    // The slack of 1/2048 for rounding is part of the noise: at 100,000 draws the test sees 0.9 % and more.
    EXPECT_LT(std::abs(deviate(noise_of(100'000, options, 1), expected * (1 + 1.0 / 2048))), kOneInAMillion);
    EXPECT_GT(std::abs(deviate(noise_of(100'000, options, 1), expected * 1.02)), kOneInAMillion);  // it can fail
  }
}

TEST(Release, ReadsOneThresholdForClippingAndNoise) {
  nn::Linear layer(4, 1);
  layer->to(at::kDouble);
  for (double threshold : {0.01, 1.0, 30.0}) {
    Engine clipped(layer->named_parameters(), Plan(plan(0, threshold)), random::Key::for_tests(1));
    clipped.backward((layer->forward(at::full({1, 4}, 1e6, at::kDouble)) * 1e6).squeeze(1));  // far above any threshold
    clipped.release();
    const double norm = std::hypot(layer->weight.grad().norm().item<double>(), layer->bias.grad().norm().item<double>());
    EXPECT_NEAR(norm, threshold, threshold * 1e-12);
    layer->zero_grad();
    EXPECT_LT(std::abs(deviate(noise_of(20'000, plan(2, threshold), 3), 2 * threshold)), kOneInAMillion);
  }
}

TEST(Release, WithoutNoiseIsTheSumOverTheExpectedBatchSizeToTheBit) {
  nn::Linear layer(4, 3);
  layer->to(at::kDouble);
  const Batch batch{at::randn({5, 4}, at::kDouble)};
  const auto run = [&](double expected_batch_size) {
    Engine engine(layer->named_parameters(), Plan(plan(0, 1.0, expected_batch_size)), random::Key::for_tests(1));
    engine.backward(layer->forward(batch[0]).square().sum(1));
    engine.release();
    const Tensor grad = layer->weight.grad();
    layer->zero_grad();
    return grad;
  };
  EXPECT_TRUE(at::equal(run(7), run(1) / 7));
  EXPECT_GT(run(1).norm().item<double>(), 0);
}

TEST(Release, OfOneKeyAndStepIsReproducible) {
  EXPECT_TRUE(at::equal(noise_of(1000, plan(1), 1), noise_of(1000, plan(1), 1)));
  EXPECT_FALSE(at::equal(noise_of(1000, plan(1), 1), noise_of(1000, plan(1), 2)));
}

TEST(Release, DrawsNewNoiseAtEachStepForEachParameterAndKey) {
  Tensor a = at::zeros({20'000}, at::kDouble).requires_grad_(), b = at::zeros({20'000}, at::kDouble).requires_grad_();
  Engine engine(NamedParameters{{"a", a}, {"b", b}}, Plan(plan(1)), random::Key::for_tests(1));
  std::vector<Tensor> draws{noise_of(20'000, plan(1), 2)};
  for (int step = 0; step < 3; ++step) {
    engine.release();
    draws.push_back(a.grad());
    draws.push_back(b.grad());
  }
  for (size_t i = 0; i < draws.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const double correlation = (draws[i] * draws[j]).mean().item<double>() * std::sqrt(20'000.0);  // standard normal; 21 pairs
      EXPECT_LT(std::abs(correlation), kOneInAMillion) << i << ' ' << j;
    }
  }
}

TEST(Release, HidesTheSumInTheNoise) {
  nn::Linear layer(100, 10);
  layer->to(at::kDouble);
  const auto run = [&](bool with_example) {
    Engine engine(layer->named_parameters(), Plan(plan(1)), random::Key::for_tests(9));
    if (with_example) engine.backward(layer->forward(at::ones({1, 100}, at::kDouble)).sum(1));
    engine.release();
    const Tensor grad = layer->weight.grad();
    layer->zero_grad();
    return grad;
  };
  const Tensor moved =
      run(true) - run(false);  // the same key and step: the noise cancels, the clipped gradient is left, rounded to the lattice
  EXPECT_NEAR(moved.norm().item<double>(), std::sqrt(1000.0 / 1010.0), 1e-5);
}

/// What is released of `sizes` examples in physical batches, none of which has a gradient but all of which have `positions`: noise alone.
Tensor noise_beside(const std::vector<int64_t>& sizes, int64_t positions, const PlanOptions& options) {
  Tensor weight = at::zeros({4, 50}, at::kFloat).requires_grad_();
  Engine engine(NamedParameters{{"weight", weight}}, Plan(options), random::Key::for_tests(5));
  for (int64_t size : sizes) engine.backward(at::linear(at::zeros({size, positions, 50}), weight).sum({1, 2}));
  engine.release();
  return weight.grad();
}

PlanOptions plan_of_large_batches(std::optional<double> positions = std::nullopt) {
  PlanOptions options = plan(1, 1.0, 250);
  options.positions = positions;
  return options;
}

TEST(Release, DrawsNoiseThatDoesNotTellHowManyExamplesThereWere) {
  const Tensor noise = noise_beside({250}, 200, plan_of_large_batches());
  EXPECT_GT(noise.norm().item<double>(), 0);
  for (const std::vector<int64_t>& sizes : std::vector<std::vector<int64_t>>{{1}, {251}, {64, 64, 64, 58}, {400}}) {
    EXPECT_TRUE(at::equal(noise_beside(sizes, 200, plan_of_large_batches()), noise)) << sizes.size() << " physical batches";
  }
  EXPECT_FALSE(at::equal(noise_beside({250}, 100, plan_of_large_batches()), noise));  // 200 positions make more noise: it can fail
}

TEST(Release, DrawsNoiseForTheDeclaredPositionsWhateverTheBatchHas) {
  const Tensor noise = noise_beside({250}, 200, plan_of_large_batches(200));
  EXPECT_TRUE(at::equal(noise_beside({250}, 200, plan_of_large_batches()), noise));
  for (const int64_t positions : {1, 37, 200}) EXPECT_TRUE(at::equal(noise_beside({9}, positions, plan_of_large_batches(200)), noise));
  EXPECT_TRUE(at::equal(noise_beside({}, 0, plan_of_large_batches(200)), noise));
}

/// What an engine says of two logical batches, the second of which has other positions.
std::string complaint_about(int64_t first, int64_t second, const PlanOptions& options, bool release = true) {
  Tensor weight = at::zeros({4, 50}, at::kFloat).requires_grad_();
  Engine engine(NamedParameters{{"weight", weight}}, Plan(options), random::Key::for_tests(5));
  try {
    for (const int64_t positions : {first, second}) {
      if (positions > 0) engine.backward(at::linear(at::zeros({30, positions, 50}), weight).sum({1, 2}));
      if (release) engine.release();
    }
  } catch (const base::PrivacyError& error) {
    return error.what();
  }
  return "";
}

TEST(Release, RefusesPositionsThatWouldChangeTheNoise) {
  for (const auto& [first, second] : {std::pair<int64_t, int64_t>{100, 101}, {101, 100}, {0, 100}}) {
    const std::string complaint = complaint_about(first, second, plan_of_large_batches());
    EXPECT_NE(complaint.find("would follow the batch"), std::string::npos) << complaint;
    EXPECT_NE(complaint.find("pass positions"), std::string::npos) << complaint;
  }
  EXPECT_NE(complaint_about(100, 101, plan_of_large_batches(100)).find("must be at least those of every example"), std::string::npos);
  EXPECT_NE(complaint_about(101, 0, plan_of_large_batches(100), /*release=*/false).find("must be at least"), std::string::npos)
      << "backward says so already";
  EXPECT_EQ(complaint_about(100, 100, plan_of_large_batches()), "");
  EXPECT_EQ(complaint_about(100, 37, plan_of_large_batches(100)), "");
  EXPECT_EQ(complaint_about(3, 5, plan(1, 1.0, 8)), "");  // both are covered by what every release has
  PlanOptions without_noise = plan_of_large_batches();
  without_noise.noise_multiplier = 0;
  EXPECT_EQ(complaint_about(100, 101, without_noise), "");
}

TEST(Release, TakesThePositionsAnewWhenOtherParametersAreTrained) {
  Tensor tokens = at::zeros({4, 50}, at::kFloat).requires_grad_(), pooled = at::zeros({4, 50}, at::kFloat).requires_grad_();
  Engine engine(NamedParameters{{"tokens", tokens}, {"pooled", pooled}}, Plan(plan_of_large_batches()), random::Key::for_tests(5));
  const Tensor inputs = at::zeros({30, 100, 50});
  const auto step = [&] {
    engine.backward(at::linear(inputs, tokens).sum({1, 2}) + at::linear(inputs.sum(1), pooled).sum(1));
    engine.release();
  };
  step();
  tokens.requires_grad_(false);
  EXPECT_NO_THROW(step());
}

TEST(Release, OfMoreExamplesThanThePlanCanDrawIsRefusedWhenTheyCome) {
  Tensor weight = at::zeros({4, 50}, at::kFloat).requires_grad_();
  Engine engine(NamedParameters{{"weight", weight}}, Plan(plan(1, 1.0, 50)), random::Key::for_tests(5));
  const auto backward = [&](int64_t examples) { engine.backward(at::linear(at::zeros({examples, 1, 50}), weight).sum({1, 2})); };
  backward(150);
  try {
    backward(150);
    FAIL() << "300 examples where 50 are expected";
  } catch (const base::PrivacyError& error) {
    EXPECT_NE(std::string(error.what()).find("expected_batch_size"), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find("300"), std::string::npos) << "the number of examples is private: " << error.what();
  }
  EXPECT_THROW(engine.release(), base::PrivacyError) << "the logical batch is incomplete";
  engine.discard();
  backward(150);
  EXPECT_NO_THROW(engine.release());
}

TEST(Release, IsPrivateOnlyWithNoiseAndAPrivateKey) {
  const Tensor parameter = at::zeros({3}, at::kDouble).requires_grad_();
  const clip::Clipper clipper({parameter}, {});
  const auto is_private = [&](double noise_multiplier, const random::Key& key) {
    std::optional<noise::Lattice> lattice;
    if (noise_multiplier > 0) lattice = noise::make_lattice(noise_multiplier, 1.0, 3);
    return release(clipper.start(lattice), {noise_multiplier, 1, 0}, key).is_private();
  };
  EXPECT_TRUE(is_private(1, random::Key::from_os()));
  EXPECT_FALSE(is_private(0, random::Key::from_os()));
  EXPECT_FALSE(is_private(1, random::Key::for_tests(1)));
}

TEST(Release, RefusesNoiseForASumThatWasNotClippedOrHasNoLattice) {
  const Tensor parameter = at::zeros({3}, at::kDouble).requires_grad_();
  const random::Key key = random::Key::for_tests(1);
  const clip::Clipper clipped({parameter}, {}), unclipped({parameter}, {.method = "non_private"});
  EXPECT_THROW((void)release(clipped.start(std::nullopt), {1, 1, 0}, key), base::PrivacyError);
  EXPECT_THROW((void)release(unclipped.start(noise::make_lattice(1, 1, 3)), {1, 1, 0}, key), base::PrivacyError);
}

TEST(Release, WritesGradientsOfTheParametersOwnType) {
  for (auto dtype : {at::kDouble, at::kFloat, at::kBFloat16}) {
    Tensor parameter = at::zeros({8}, dtype).requires_grad_();
    Engine engine(NamedParameters{{"p", parameter}}, Plan(plan(1)), random::Key::for_tests(1));
    engine.release();
    EXPECT_EQ(parameter.grad().scalar_type(), dtype);
    EXPECT_TRUE(parameter.grad().isfinite().all().item<bool>());
  }
}

}  // namespace
}  // namespace ghostgrad::engine::tests
