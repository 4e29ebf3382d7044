// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/engine/engine.h"

namespace ghostgrad::engine {
namespace {

Engine engine_for(const torch::nn::Linear& model, double noise_multiplier = 1.0) {
  const PlanOptions options{.noise_multiplier = noise_multiplier, .expected_batch_size = 4, .sample_rate = 0.1};
  return Engine(model->named_parameters(), Plan(options));
}

TEST(Resume, EpsilonIsThatOfTheStraightRun) {
  torch::nn::Linear model(3, 1);
  Engine straight = engine_for(model);
  for (int step = 0; step < 3; ++step) straight.release();
  const double after_three = straight.epsilon(1e-5);
  Engine resumed = engine_for(model);
  resumed.resume(straight.past());
  EXPECT_EQ(resumed.steps(), 3);
  EXPECT_DOUBLE_EQ(resumed.epsilon(1e-5), after_three);
  model->zero_grad();
  straight.release();
  model->zero_grad();
  resumed.release();
  EXPECT_DOUBLE_EQ(resumed.epsilon(1e-5), straight.epsilon(1e-5));
  EXPECT_EQ(resumed.past().steps, 4);
}

TEST(Resume, OtherNoiseBeforeAndAfterIsAccountedEachAsItWas) {
  torch::nn::Linear model(3, 1);
  Engine weak = engine_for(model, 0.5);
  weak.release();
  Engine strong = engine_for(model, 4.0);
  strong.resume(weak.past());
  EXPECT_GE(strong.epsilon(1e-5), weak.epsilon(1e-5));
  model->zero_grad();
  strong.release();
  Engine third = engine_for(model, 4.0);
  third.resume(strong.past());
  EXPECT_DOUBLE_EQ(third.epsilon(1e-5), strong.epsilon(1e-5));
}

TEST(Resume, NothingIsForgotten) {
  torch::nn::Linear model(3, 1);
  Engine engine = engine_for(model);
  const Past past = engine.past();
  engine.backward(model(torch::randn({4, 3})).square().mean(1));
  EXPECT_THROW((void)engine.past(), base::PrivacyError);
  EXPECT_THROW(engine.resume(past), base::PrivacyError);
  engine.release();
  EXPECT_THROW(engine.resume(past), base::PrivacyError);
}

TEST(Resume, AnUnauditedPastStaysUnaudited) {
  torch::nn::Linear model(3, 1);
  Engine engine = engine_for(model);
  engine.backward(model(torch::randn({4, 3})).square().mean(1));
  engine.release();
  EXPECT_EQ(engine.past().independence, privacy::Independence::not_audited);
  Engine other = engine_for(model);
  other.resume(engine.past());
  EXPECT_EQ(other.report().independence, privacy::Independence::not_audited);
}

}  // namespace
}  // namespace ghostgrad::engine
