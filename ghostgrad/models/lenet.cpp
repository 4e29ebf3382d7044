// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/lenet.h"

#include <ATen/ATen.h>

namespace ghostgrad::models {
namespace {

int64_t after_both_stages(int64_t side) { return ((side - 4) / 2 - 4) / 2; }

int64_t features(const LeNetOptions& options) {
  require_side("cnn_20_50", options.image, 16);
  return options.filters1 * after_both_stages(options.image.height) * after_both_stages(options.image.width);
}

}  // namespace

LeNet::LeNet(const LeNetOptions& options)
    : conv0_(register_module("conv0", torch::nn::Conv2d(torch::nn::Conv2dOptions(options.image.channels, options.filters0, 5)))),
      conv1_(register_module("conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(options.filters0, options.filters1, 5)))),
      linear0_(register_module("linear0", torch::nn::Linear(features(options), options.hidden))),
      linear1_(register_module("linear1", torch::nn::Linear(options.hidden, options.classes))) {}

at::Tensor LeNet::forward(const at::Tensor& inputs) {
  auto h = at::max_pool2d(conv0_->forward(inputs).relu(), 2);
  h = at::max_pool2d(conv1_->forward(h).relu(), 2);
  return linear1_->forward(linear0_->forward(h.flatten(1)).relu());
}

}  // namespace ghostgrad::models
