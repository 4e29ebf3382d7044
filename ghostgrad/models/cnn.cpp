// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/cnn.h"

#include <ATen/ATen.h>

namespace ghostgrad::models {
namespace {

// Side of the last feature map: conv 8/2 padded by 2, pool, conv 4/2, pool.
int64_t last_side(int64_t side) {
  const int64_t first = (side + 4 - 8) / 2 + 1 - 1;
  return (first - 4) / 2 + 1 - 1;
}

int64_t features(const ImageShape& image) {
  require_side("cnn", image, 16);
  return 32 * last_side(image.height) * last_side(image.width);
}

}  // namespace

Cnn::Cnn(const CnnOptions& options)
    : conv0_(register_module("conv0", torch::nn::Conv2d(torch::nn::Conv2dOptions(options.image.channels, 16, 8).stride(2).padding(2)))),
      conv1_(register_module("conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(16, 32, 4).stride(2)))),
      linear0_(register_module("linear0", torch::nn::Linear(features(options.image), 32))),
      linear1_(register_module("linear1", torch::nn::Linear(32, options.classes))) {}

at::Tensor Cnn::forward(const at::Tensor& inputs) {
  auto h = at::max_pool2d(conv0_->forward(inputs).tanh(), 2, 1);
  h = at::max_pool2d(conv1_->forward(h).tanh(), 2, 1);
  return linear1_->forward(linear0_->forward(h.flatten(1)).tanh());
}

}  // namespace ghostgrad::models
