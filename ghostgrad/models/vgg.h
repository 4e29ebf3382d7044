// SPDX-License-Identifier: Apache-2.0
// The networks of [Simonyan15, Table 1] with a group norm [Wu18] after each convolution.
//
//     five stages of 64, 128, 256, 512, 512 filters:  `convolutions` x (conv 3x3 - norm, 16 groups - ReLU) - max pool 2x2
//     then `hidden` linear layers with ReLU - linear classes
//
// The published hidden layers, 4096 and 4096, are for images of 224 pixels; on CIFAR-10 there is none. Without dropout: the noise of the
// release regularises.
//
//     auto model = std::make_shared<models::Vgg>(models::VggOptions{.convolutions = {2, 2, 3, 3, 3}});   // VGG-16
#pragma once

#include <vector>

#include <torch/nn/modules/linear.h>

#include "ghostgrad/models/convolution_chain.h"
#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct VggOptions {
  ImageShape image = {3, 32, 32};
  int64_t classes = 10;
  std::vector<int64_t> convolutions = {1, 1, 2, 2, 2};  // of each stage
  std::vector<int64_t> hidden{};
  int64_t width = 64;  // filters of the first stage; doubles up to 8 times that
};

class Vgg : public Model {
 public:
  explicit Vgg(const VggOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  std::vector<std::shared_ptr<ConvolutionChain>> stages_;
  std::vector<torch::nn::Linear> linears_;
};

}  // namespace ghostgrad::models
