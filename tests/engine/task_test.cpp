// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/task.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/nn.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/engine/trainer.h"

namespace ghostgrad::engine {
namespace {

using base::Task;

// Six sequences over five tokens; the first i % 3 targets of sequence i are not asked for.
data::Dataset sequences(const std::string& name = "sequences") {
  torch::manual_seed(3);
  const auto inputs = torch::randint(5, {6, 4});
  auto targets = inputs.roll({-1}, {1}).clone();
  for (int64_t i = 0; i < 6; ++i) targets[i].narrow(0, 0, i % 3).fill_(data::kIgnored);
  return {inputs, targets, 5, name, Task::language_model, 5, {"seen without noise"}};
}

class NextImpl : public torch::nn::Module {
 public:
  NextImpl() : embed_(register_module("embed", torch::nn::Embedding(5, 5))) {}
  at::Tensor forward(const at::Tensor& tokens) { return embed_->forward(tokens); }

 private:
  torch::nn::Embedding embed_;
};

std::shared_ptr<NextImpl> next_token() {
  torch::manual_seed(1);
  return std::make_shared<NextImpl>();
}

// -log p of what is asked for, token by token.
std::vector<std::vector<double>> by_hand(const at::Tensor& logits, const at::Tensor& targets) {
  const auto logp = logits.log_softmax(-1);
  std::vector<std::vector<double>> all(targets.size(0));
  for (int64_t i = 0; i < targets.size(0); ++i) {
    for (int64_t t = 0; t < targets.size(1); ++t) {
      const auto target = targets[i][t].item<int64_t>();
      if (target != data::kIgnored) all[i].push_back(-logp[i][t][target].item<double>());
    }
  }
  return all;
}

TEST(LanguageModel, LossIsTheMeanOverTheTokensThatTheExampleAsksFor) {
  const auto data = sequences();
  const auto logits = next_token()->forward(data.inputs).detach();
  const auto losses = row_of(Task::language_model).losses(logits, data.targets);
  ASSERT_EQ(losses.sizes(), at::IntArrayRef({6}));
  const auto wanted = by_hand(logits, data.targets);
  for (int64_t i = 0; i < 6; ++i) {
    double sum = 0;
    for (const double loss : wanted[i]) sum += loss;
    EXPECT_NEAR(losses[i].item<double>(), sum / static_cast<double>(wanted[i].size()), 1e-5);
  }
}

TEST(LanguageModel, LossIsZeroWhereNothingIsAskedFor) {
  const auto losses = row_of(Task::language_model).losses(torch::randn({2, 3, 5}), torch::full({2, 3}, data::kIgnored, torch::kLong));
  EXPECT_TRUE(losses.eq(0).all().item<bool>());
}

TEST(LanguageModel, PerplexityIsOverAllTokensAlike) {
  const auto data = sequences();
  const auto model = next_token();
  double sum = 0, count = 0;
  for (const auto& losses : by_hand(model->forward(data.inputs).detach(), data.targets)) {
    for (const double loss : losses) sum += loss, ++count;
  }
  for (const int64_t at_a_time : {1, 4, 100}) EXPECT_NEAR(perplexity(TrainedModel(model), data, at_a_time), std::exp(sum / count), 1e-4);
}

TEST(Task, RefusesTargetsOfAnotherTask) {
  const auto check = [](const data::Dataset& data) { row_of(data.task).check(data); };
  EXPECT_NO_THROW(check(sequences()));
  auto wrong = sequences();
  wrong.targets[2][3] = 5;
  EXPECT_THROW(check(wrong), base::InvalidArgument);
  wrong = sequences();
  wrong.targets[2][3] = -1;
  EXPECT_THROW(check(wrong), base::InvalidArgument);
  wrong = sequences();
  wrong.inputs[2][3] = 5;
  EXPECT_THROW(check(wrong), base::InvalidArgument);
  wrong = sequences();
  wrong.targets = wrong.targets.select(1, 0);
  EXPECT_THROW(check(wrong), base::InvalidArgument);
  wrong.task = Task::classification;
  wrong.targets.clamp_min_(0);
  EXPECT_NO_THROW(check(wrong));
  wrong.targets[0] = data::kIgnored;
  EXPECT_THROW(check(wrong), base::InvalidArgument);
}

TEST(Score, IsWrittenByItsMetric) {
  EXPECT_EQ(in_words({"accuracy", 0.931}), "93.10 %");
  EXPECT_EQ(in_words({"perplexity", 4.2131}), "4.213");
  EXPECT_EQ(in_words({"perplexity", {}}), "");
}

TrainerOptions options(double noise_multiplier) {
  TrainerOptions options;
  options.noise_multiplier = noise_multiplier;
  options.batch = 3;
  options.physical_batch = 2;
  options.epochs = 40;
  options.optimizer = {.name = "sgd", .lr = 5.0, .momentum = 0.0};
  return options;
}

TEST(LanguageModel, IsTrainedAndScoredByPerplexity) {
  const auto model = next_token();
  const auto before = perplexity(TrainedModel(model), sequences());
  const auto summary = Trainer(TrainedModel(model), {sequences(), sequences("test")}, options(0)).train();
  EXPECT_EQ(summary.test.metric, "perplexity");
  EXPECT_LT(summary.test.value.value(), 0.8 * before);
  const auto json = to_json(summary);
  EXPECT_EQ(json["test_perplexity"], *summary.test.value);
  EXPECT_FALSE(json.contains("test_accuracy"));
}

TEST(Trainer, RepeatsWhatTheDataSetWarnsOf) {
  Trainer trainer(TrainedModel(next_token()), {sequences(), sequences("test")}, options(1));
  EXPECT_EQ(trainer.schedule().planned.warnings.back(), "seen without noise");
  const auto statement = trainer.train().statement;
  EXPECT_NE(std::find(statement.warnings.begin(), statement.warnings.end(), "seen without noise"), statement.warnings.end());
}

}  // namespace
}  // namespace ghostgrad::engine
