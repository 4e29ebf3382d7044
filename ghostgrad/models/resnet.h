// SPDX-License-Identifier: Apache-2.0
// Residual networks [He16, Table 1] with group norm [Wu18] in place of batch norm, which would mix examples.
//
//     stem    conv 7x7, stride 2 - norm - ReLU - max pool 3x3, stride 2; for images below 64 pixels conv 3x3 - norm - ReLU [He16, Sec. 4.2]
//     stages  four of `blocks` each, of 64, 128, 256, 512 filters, all but the first beginning with stride 2:
//             h = relu(f(h) + shortcut(h))      f: 3x3 - 3x3, or the bottleneck 1x1 - 3x3 - 1x1 with 4 times the filters
//     then    mean over the image - linear classes
//
//     auto model = std::make_shared<models::ResNet>(models::ResNetOptions{.blocks = {3, 4, 6, 3}, .bottleneck = true});   // ResNet-50
#pragma once

#include <vector>

#include <torch/nn/modules/linear.h>

#include "ghostgrad/models/convolution_chain.h"
#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct ResNetOptions {
  ImageShape image = {3, 32, 32};
  int64_t classes = 10;
  std::vector<int64_t> blocks = {2, 2, 2, 2};  // of each stage
  bool bottleneck = false;
  int64_t width = 64;   // filters of the first stage; each next one has twice as many
  int64_t groups = 32;  // of each norm, fewer where the filters cannot be divided so
};

struct ResidualOptions {
  int64_t from = 64;
  int64_t filters = 64;
  int64_t stride = 1;
  bool bottleneck = false;
  int64_t groups = 32;
};

class ResidualBlock : public torch::nn::Module {
 public:
  explicit ResidualBlock(const ResidualOptions& options);
  at::Tensor forward(const at::Tensor& h);

 private:
  std::shared_ptr<ConvolutionChain> residual_, shortcut_;  // an empty shortcut is the identity
};

class ResNet : public Model {
 public:
  explicit ResNet(const ResNetOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  bool small_;  // images
  std::shared_ptr<ConvolutionChain> stem_;
  std::vector<std::shared_ptr<ResidualBlock>> blocks_;
  torch::nn::Linear head_{nullptr};
};

}  // namespace ghostgrad::models
