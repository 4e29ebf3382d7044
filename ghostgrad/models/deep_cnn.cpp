// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/deep_cnn.h"

#include <numeric>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace ghostgrad::models {
namespace {

constexpr int64_t kGroups = 16;

}  // namespace

void DeepCnn::add_convolution(int64_t from, int64_t to) {
  const auto number = convolutions_.size();
  const auto shape = torch::nn::Conv2dOptions(from, to, 3).padding(1).bias(false);
  convolutions_.push_back(register_module(fmt::format("conv{}", number), torch::nn::Conv2d(shape)));
  norms_.push_back(register_module(fmt::format("norm{}", number), torch::nn::GroupNorm(std::gcd(kGroups, to), to)));
}

DeepCnn::DeepCnn(const DeepCnnOptions& options) {
  const auto& image = options.image;
  const int64_t shrinks = int64_t{1} << options.filters.size();  // a halving after each stage
  require_side("deep_cnn", image, shrinks);
  int64_t from = image.channels;
  for (const int64_t filters : options.filters) {
    add_convolution(from, filters);
    add_convolution(filters, filters);
    from = filters;
  }
  linear0_ = register_module("linear0", torch::nn::Linear(from * (image.height / shrinks) * (image.width / shrinks), options.hidden));
  linear1_ = register_module("linear1", torch::nn::Linear(options.hidden, options.classes));
}

at::Tensor DeepCnn::forward(const at::Tensor& inputs) {
  auto h = inputs;
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    h = norms_[i]->forward(convolutions_[i]->forward(h)).relu();
    if (i % 2 == 1) h = at::max_pool2d(h, 2);
  }
  return linear1_->forward(linear0_->forward(h.flatten(1)).relu());
}

}  // namespace ghostgrad::models
