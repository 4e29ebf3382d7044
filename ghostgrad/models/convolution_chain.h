// SPDX-License-Identifier: Apache-2.0
// Convolutions, each followed by a group norm [Wu18], with ReLU in between: what residual networks and VGG are made of.
//
//     chain->add(torch::nn::Conv2dOptions(3, 64, 3));
//     h = norm_k(conv_k(relu(... norm_0(conv_0(h)))))         an empty chain is the identity
//
// A norm has `groups` groups, or the largest number below that divides both it and the filters.
#pragma once

#include <vector>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

namespace ghostgrad::models {

class ConvolutionChain : public torch::nn::Module {
 public:
  explicit ConvolutionChain(int64_t groups) : groups_(groups) {}
  /// One more, at the end.
  void add(const torch::nn::Conv2dOptions& shape);
  at::Tensor forward(const at::Tensor& inputs);

 private:
  int64_t groups_;
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::GroupNorm> norms_;
};

}  // namespace ghostgrad::models
