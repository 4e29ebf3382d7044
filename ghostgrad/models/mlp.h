// SPDX-License-Identifier: Apache-2.0
// Multi-layer perceptron on flattened inputs:  h_l = tanh(W_l h_{l-1} + b_l),  logits = W h + b.
//
// tanh and not ReLU: bounded activations keep gradients, and so what clipping takes away, small [Papernot21].
// [Lee20, Sec. 6.1] has the sigmoid, in layers of 128 and 256.
//
//     auto model = std::make_shared<models::Mlp>(models::MlpOptions{.inputs = 784, .hidden = {512, 256}, .classes = 10});
#pragma once

#include <vector>

#include <torch/nn/modules/linear.h>

#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct MlpOptions {
  int64_t inputs = 784;
  std::vector<int64_t> hidden = {512, 256};
  int64_t classes = 10;
  bool sigmoid = false;  // in place of tanh
};

class Mlp : public Model {
 public:
  explicit Mlp(const MlpOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  bool sigmoid_;
  std::vector<torch::nn::Linear> layers_;
};

}  // namespace ghostgrad::models
