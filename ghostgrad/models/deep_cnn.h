// SPDX-License-Identifier: Apache-2.0
// Six 3x3 convolutions in three stages of 32, 64 and 128 filters, for colour images: the CIFAR-10 network of [Tramer21]
// with group norm and ReLU in place of tanh (group norm looks at one example; batch norm would mix them).
//
//     stage:  2 x (conv 3x3, no bias - group norm, 16 groups - ReLU) - max pool 2x2
//     then    linear 128 - ReLU - linear classes
//
//     auto model = std::make_shared<models::DeepCnn>(models::DeepCnnOptions{.image = {3, 32, 32}});
#pragma once

#include <vector>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct DeepCnnOptions {
  ImageShape image = {3, 32, 32};
  int64_t classes = 10;
  std::vector<int64_t> filters = {32, 64, 128};  // of each stage
  int64_t hidden = 128;
};

class DeepCnn : public Model {
 public:
  explicit DeepCnn(const DeepCnnOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  void add_convolution(int64_t from, int64_t to);

  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::GroupNorm> norms_;
  torch::nn::Linear linear0_{nullptr}, linear1_{nullptr};
};

}  // namespace ghostgrad::models
