// SPDX-License-Identifier: Apache-2.0
// A model as the trainer sees it, and how well it classifies or predicts tokens.
//
//     TrainedModel model(std::make_shared<MyNet>());           // or a holder such as torch::nn::Sequential
//     accuracy(model, split.test);                             // fraction of right answers
//
// A score on examples that were not trained on costs none of the training examples' privacy; its own examples are not protected by it.
#pragma once

#include <functional>
#include <memory>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "ghostgrad/data/dataset.h"

namespace ghostgrad::engine {

struct TrainedModel {
  std::shared_ptr<torch::nn::Module> module;
  std::function<at::Tensor(const at::Tensor&)> forward;  // inputs [B, ...] -> logits [B, classes] or [B, T, tokens]

  /// Any shared pointer to a module, or torch::nn holder, with a forward function.
  template <class Model>
  explicit TrainedModel(Model model) : forward([model](const at::Tensor& inputs) mutable { return model->forward(inputs); }) {
    if constexpr (requires { model.ptr(); }) {
      module = model.ptr();
    } else {
      module = model;
    }
  }
};

/// Fraction of right answers. Leaves the model in the mode (training or evaluation) that it was in. `at_a_time` examples per forward.
[[nodiscard]] double accuracy(const TrainedModel& model, const data::Dataset& dataset, int64_t at_a_time = 256);

/// exp of the mean cross entropy over all tokens that are asked for: as if each were guessed among so many. Infinite where none is.
[[nodiscard]] double perplexity(const TrainedModel& model, const data::Dataset& dataset, int64_t at_a_time = 32);

/// Cross entropy of each token: logits [B, T, tokens], targets [B, T] -> [B, T], zero where a target is data::kIgnored.
[[nodiscard]] at::Tensor token_losses(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace ghostgrad::engine
