// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/trainer.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/nn.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::engine {
namespace {

// Two clouds of points, one per class.
data::Dataset clouds(int64_t examples, const std::string& name) {
  const at::Tensor targets = torch::arange(examples).remainder(2);
  const at::Tensor inputs = torch::randn({examples, 4}) + 3 * targets.to(torch::kFloat).unsqueeze(1);
  return {inputs, targets, 2, name};
}

data::Split two_clouds(int64_t examples = 120) {
  torch::manual_seed(7);
  data::Dataset train = clouds(examples, "clouds/train");
  return {train, clouds(60, "clouds/test")};
}

torch::nn::Sequential network() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Linear(4, 8), torch::nn::Tanh(), torch::nn::Linear(8, 2));
}

TrainerOptions without_noise() {
  TrainerOptions options;
  options.noise_multiplier = 0;
  options.batch = 30;
  options.physical_batch = 16;
  options.epochs = 3;
  options.optimizer = {.name = "sgd", .lr = 0.5, .momentum = 0.0};
  return options;
}

TrainerOptions with_noise() {
  TrainerOptions options = without_noise();
  options.noise_multiplier = 1.0;
  return options;
}

TrainerKeys keys(uint64_t seed) { return {random::Key::for_tests(seed), random::Key::for_tests(seed + 1)}; }

at::Tensor flat(const torch::nn::Sequential& model) {
  std::vector<at::Tensor> parts;
  for (const auto& parameter : model->parameters()) parts.push_back(parameter.detach().flatten());
  return at::cat(parts).clone();
}

// The noise covers rounding, whose bound grows with the physical batch: models agree to a part in a hundred of the noise.
constexpr double kOfTheNoise = 1e-2;

// Parameters after training with these options and fixed keys.
at::Tensor trained(const TrainerOptions& options) {
  auto model = network();
  Trainer(TrainedModel(model), two_clouds(), options, keys(3)).train();
  return flat(model);
}

TEST(Trainer, LearnsToTellTwoCloudsApart) {
  auto model = network();
  TrainerOptions options = without_noise();
  options.epochs = 10;
  Trainer trainer(TrainedModel(model), two_clouds(), options);
  const Summary summary = trainer.train();
  EXPECT_GT(summary.test.value.value(), 0.95);
  EXPECT_DOUBLE_EQ(summary.test.value.value(), accuracy(trainer.model(), two_clouds().test));
  EXPECT_EQ(summary.statement.steps, 40);
  EXPECT_FALSE(summary.interrupted);
  EXPECT_GT(summary.examples_per_second, 0);
}

TEST(Trainer, SpendsWhatTheScheduleSaid) {
  auto model = network();
  TrainerOptions options = with_noise();
  options.noise_multiplier.reset();
  options.epsilon = 5;
  Trainer trainer(TrainedModel(model), two_clouds(), options);
  const Summary summary = trainer.train();
  EXPECT_DOUBLE_EQ(summary.statement.epsilon, trainer.schedule().planned.epsilon);
  EXPECT_LE(summary.statement.epsilon, 5);
  EXPECT_EQ(summary.statement.noise_multiplier, trainer.schedule().noise_multiplier);
  EXPECT_TRUE(summary.statement.noise_is_private);
  EXPECT_EQ(summary.statement.independence, privacy::Independence::audited);
  EXPECT_EQ(summary.statement.data_set_size, 120);
}

TEST(Trainer, GivesTheSameModelForEveryPhysicalBatchSize) {
  const at::Tensor reference = trained(with_noise());
  for (const int64_t size : {1, 7, 120, 5000}) {
    TrainerOptions options = with_noise();
    options.physical_batch = size;
    EXPECT_TRUE(at::allclose(trained(options), reference, kOfTheNoise, kOfTheNoise)) << size;
  }
}

TEST(Trainer, GivesTheSameModelForEveryMethod) {
  const at::Tensor reference = trained(with_noise());
  for (const auto& method : clip::methods()) {
    if (method.name == "non_private") continue;
    TrainerOptions options = with_noise();
    options.method = method.name;
    EXPECT_TRUE(at::allclose(trained(options), reference, 1e-5, 1e-6)) << method.name;
  }
}

TEST(Trainer, DrawsNoiseAndBatchesThatNoSeedOfTorchDetermines) {
  const auto once = [] {
    auto model = network();  // seeds torch's generator
    Trainer(TrainedModel(model), two_clouds(), with_noise()).train();
    return flat(model);
  };
  EXPECT_FALSE(at::allclose(once(), once()));
}

TEST(Trainer, StopsAfterTheStepUnderWayAndGoesOnWhereItWasStopped) {
  auto model = network();
  Trainer trainer(TrainedModel(model), two_clouds(), with_noise(), keys(3));
  std::atomic<bool> stop = false;
  const auto stop_at_five = [&](const Progress& now) { stop = now.step == 5; };
  const Summary first = trainer.train({.progress = stop_at_five, .stop = &stop});
  EXPECT_TRUE(first.interrupted);
  EXPECT_EQ(first.statement.steps, 5);
  EXPECT_LT(first.statement.epsilon, first.planned_epsilon);
  EXPECT_TRUE(first.test.value.has_value());
  EXPECT_NE(first.statement.warnings.back().find("stopped after 5 of 12"), std::string::npos);
  stop = false;
  const Summary second = trainer.train({.progress = {}, .stop = &stop});
  EXPECT_FALSE(second.interrupted);
  EXPECT_EQ(second.statement.steps, 12);
  EXPECT_TRUE(at::allclose(flat(model), trained(with_noise()), 1e-6, 1e-7));
}

TEST(Trainer, ReportsEachStepAndTheAccuracyAtTheEndOfEachEpoch) {
  auto model = network();
  std::vector<Progress> seen;
  std::vector<double> spent;
  Trainer(TrainedModel(model), two_clouds(), with_noise()).train({.progress = [&](const Progress& now) {
    seen.push_back(now);
    spent.push_back(now.epsilon());
  }});
  ASSERT_EQ(seen.size(), 12U);
  double epsilon = 0;
  for (size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].step, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(seen[i].epoch_ended, (i + 1) % 4 == 0);
    EXPECT_EQ(seen[i].test.value.has_value(), seen[i].epoch_ended);
    EXPECT_GT(spent[i], epsilon);
    epsilon = spent[i];
  }
  EXPECT_TRUE(seen.back().loss.has_value());
}

TEST(Trainer, KeepsTheTrainingLossToItselfWhenAsked) {
  auto model = network();
  TrainerOptions options = with_noise();
  options.report_loss = false;
  Trainer(TrainedModel(model), two_clouds(), options).train({.progress = [](const Progress& now) { EXPECT_FALSE(now.loss.has_value()); }});
}

TEST(Trainer, PutsNoTrainingLossIntoTheSummary) {
  auto model = network();
  const auto json = to_json(Trainer(TrainedModel(model), two_clouds(), with_noise()).train());
  EXPECT_EQ(json.dump().find("loss"), std::string::npos);
}

TEST(Trainer, SaysNotPrivateWhenEitherKeyIsATestKey) {
  for (const bool sampling : {true, false}) {
    auto model = network();
    TrainerKeys some;
    (sampling ? some.sampling : some.noise) = random::Key::for_tests(1);
    const Summary summary = Trainer(TrainedModel(model), two_clouds(), with_noise(), std::move(some)).train();
    EXPECT_FALSE(privacy::promises_privacy(summary.statement));
  }
}

TEST(Trainer, LeavesFrozenParametersAlone) {
  auto model = network();
  at::Tensor frozen = model->parameters()[0];
  frozen.set_requires_grad(false);
  const at::Tensor before = frozen.clone();
  Trainer(TrainedModel(model), two_clouds(), with_noise()).train();
  EXPECT_TRUE(at::equal(frozen, before));
}

TEST(Trainer, RefusesInputsThatAreNotFinite) {
  for (const double value : {std::nan(""), HUGE_VAL}) {
    auto model = network();
    data::Split split = two_clouds();
    split.train.inputs[3][1] = value;
    EXPECT_THROW(Trainer(TrainedModel(model), split, with_noise()), base::InvalidArgument);
    split = two_clouds();
    split.test.inputs[3][1] = value;
    EXPECT_THROW(Trainer(TrainedModel(model), split, with_noise()), base::InvalidArgument);
  }
}

TEST(Trainer, RefusesTargetsThatAreNotClassesWithoutNamingThem) {
  auto model = network();
  data::Split split = two_clouds();
  split.train.targets[5] = 977;
  try {
    const Trainer trainer(TrainedModel(model), split, with_noise());
    FAIL();
  } catch (const base::InvalidArgument& error) {
    EXPECT_EQ(error.complaint().where, "clouds/train");
    EXPECT_EQ(std::string(error.what()).find("977"), std::string::npos);
  }
  split = two_clouds();
  split.train.targets = split.train.targets.to(torch::kFloat);
  EXPECT_THROW(Trainer(TrainedModel(model), split, with_noise()), base::InvalidArgument);
}

class CentredImpl : public torch::nn::Module {
 public:
  CentredImpl() : linear_(register_module("linear", torch::nn::Linear(4, 2))) {}
  at::Tensor forward(const at::Tensor& inputs) { return linear_->forward(inputs - inputs.mean(0)); }

 private:
  torch::nn::Linear linear_;
};

TEST(Trainer, RefusesAModelThatCouplesExamplesBeforeTheFirstStep) {
  auto model = std::make_shared<CentredImpl>();
  const at::Tensor before = model->parameters()[0].clone();
  for (const char* method : {"auto", "naive"}) {
    TrainerOptions options = with_noise();
    options.method = method;
    Trainer trainer(TrainedModel(model), two_clouds(), options);
    EXPECT_THROW(trainer.train(), base::PrivacyError) << method;
    EXPECT_TRUE(at::equal(model->parameters()[0], before)) << method;
  }
}

TEST(Trainer, TrainsWithoutTestExamples) {
  auto model = network();
  data::Split split = two_clouds();
  split.test = {torch::zeros({0, 4}), torch::zeros({0}, torch::kLong), 2, "none"};
  const Summary summary = Trainer(TrainedModel(model), split, with_noise()).train();
  EXPECT_FALSE(summary.test.value.has_value());
  EXPECT_TRUE(to_json(summary)["test_accuracy"].is_null());
}

TEST(Summary, WritesEveryPinnedField) {
  auto model = network();
  const auto json = to_json(Trainer(TrainedModel(model), two_clouds(), with_noise()).train());
  for (const char* field :
       {"epsilon", "delta", "noise_multiplier", "sample_rate", "steps", "test_accuracy", "examples_per_second", "method", "calls_by_rule",
        "independence", "interrupted", "warnings", "planned_steps", "planned_epsilon", "private", "accountant", "adjacency", "seconds"}) {
    EXPECT_TRUE(json.contains(field)) << field;
  }
  EXPECT_EQ(json["calls_by_rule"], nlohmann::json({{"linear", 2}}));
  EXPECT_EQ(json["private"], true);
}

TEST(Summary, WritesAnInfiniteEpsilonAsText) {
  auto model = network();
  const auto json = to_json(Trainer(TrainedModel(model), two_clouds(), without_noise()).train());
  EXPECT_EQ(json["epsilon"], "infinity");
  EXPECT_EQ(json["planned_epsilon"], "infinity");
  EXPECT_EQ(json["private"], false);
}

}  // namespace
}  // namespace ghostgrad::engine
