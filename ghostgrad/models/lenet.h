// SPDX-License-Identifier: Apache-2.0
// The CNN of [Lee20, Sec. 6.1], in the manner of LeNet [LeCun98]; 129,388 parameters on MNIST.
//
//     20 filters 5x5 - ReLU - max pool 2x2 - 50 filters 5x5 - ReLU - max pool 2x2 - linear 128 - ReLU - linear classes
//
//     auto model = std::make_shared<models::LeNet>(models::LeNetOptions{.image = {1, 28, 28}});
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct LeNetOptions {
  ImageShape image{};
  int64_t classes = 10;
  int64_t filters0 = 20;
  int64_t filters1 = 50;
  int64_t hidden = 128;
};

class LeNet : public Model {
 public:
  explicit LeNet(const LeNetOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  torch::nn::Conv2d conv0_, conv1_;
  torch::nn::Linear linear0_, linear1_;
};

}  // namespace ghostgrad::models
