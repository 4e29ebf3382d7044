// SPDX-License-Identifier: Apache-2.0
// A network with one forward function: what `ghostgrad train` and the benchmarks need of a model, and no more.
//
//     torch::manual_seed(1);                                              // initial parameters come from torch's generator
//     auto model = models::make("cnn", {.input_shape = {1, 28, 28}});     // make.h
//     auto logits = model->forward(inputs);                               // [B, 1, 28, 28] -> [B, 10]
//
// These are ordinary torch::nn modules that know nothing of privacy; the engine takes any other model just as well.
// Guarantee: no model here mixes examples. Row i of the output depends on row i of the input alone, bit for bit.
#pragma once

#include <memory>
#include <string>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

namespace ghostgrad::models {

class Model : public torch::nn::Module {
 public:
  /// inputs [B, ...] -> logits [B, classes], or [B, T, vocabulary] for a language model
  virtual at::Tensor forward(const at::Tensor& inputs) = 0;
};

/// One image; [channels, height, width] as torch orders it.
struct ImageShape {
  int64_t channels = 1;
  int64_t height = 28;
  int64_t width = 28;
};

/// Throws InvalidArgument naming the model if a side is below `smallest`: nothing would be left after the last stride.
void require_side(const std::string& model, const ImageShape& image, int64_t smallest);

/// Throws InvalidArgument naming the model unless tokens are [B, T] with T at most `positions`.
void require_tokens(const std::string& model, const at::Tensor& tokens, int64_t positions);

}  // namespace ghostgrad::models
