// SPDX-License-Identifier: Apache-2.0
// The small convolutional network of private image classification [Tramer21]; 26,010 parameters on MNIST.
//
//     16 filters 8x8, stride 2, padding 2 - tanh - max pool 2x2, stride 1
//     32 filters 4x4, stride 2            - tanh - max pool 2x2, stride 1 - linear 32 - tanh - linear classes
//
//     auto model = std::make_shared<models::Cnn>(models::CnnOptions{.image = {1, 28, 28}});
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct CnnOptions {
  ImageShape image{};
  int64_t classes = 10;
};

class Cnn : public Model {
 public:
  explicit Cnn(const CnnOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  torch::nn::Conv2d conv0_, conv1_;
  torch::nn::Linear linear0_, linear1_;
};

}  // namespace ghostgrad::models
