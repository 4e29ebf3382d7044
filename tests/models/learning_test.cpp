// SPDX-License-Identifier: Apache-2.0
// That the models learn, without privacy, on the embedded digits.
#include <torch/nn.h>
#include <torch/optim/adam.h>

#include "ghostgrad/data/digits.h"
#include "ghostgrad/models/make.h"

namespace ghostgrad::models {
namespace {

void train_one_epoch(Model& model, torch::optim::Adam& adam, const data::Dataset& train) {
  for (const auto& rows : at::randperm(train.size(), at::kLong).split(64)) {
    const auto losses = at::cross_entropy_loss(model.forward(train.inputs.index_select(0, rows)), train.targets.index_select(0, rows));
    adam.zero_grad();
    losses.backward();
    adam.step();
  }
}

double test_accuracy(const std::string& name, int epochs) {
  static const auto split = data::digits();
  torch::manual_seed(1);
  const auto model = make(name, {});
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(1e-3));
  for (int epoch = 0; epoch < epochs; ++epoch) train_one_epoch(*model, adam, split.train);
  const torch::NoGradGuard no_graph;
  return model->forward(split.test.inputs).argmax(1).eq(split.test.targets).to(at::kDouble).mean().item<double>();
}

TEST(Mlp, LearnsTheDigitsSlow) { EXPECT_GT(test_accuracy("mlp", 5), 0.90); }
TEST(Cnn, LearnsTheDigitsSlow) { EXPECT_GT(test_accuracy("cnn", 6), 0.95); }
TEST(Transformer, LearnsTheDigitsSlow) { EXPECT_GT(test_accuracy("transformer", 6), 0.90); }

}  // namespace
}  // namespace ghostgrad::models
