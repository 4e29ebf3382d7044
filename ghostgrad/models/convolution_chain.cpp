// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/convolution_chain.h"

#include <numeric>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace ghostgrad::models {

void ConvolutionChain::add(const torch::nn::Conv2dOptions& shape) {
  const auto number = convolutions_.size();
  const int64_t filters = shape.out_channels();
  convolutions_.push_back(register_module(fmt::format("conv{}", number), torch::nn::Conv2d(shape)));
  norms_.push_back(register_module(fmt::format("norm{}", number), torch::nn::GroupNorm(std::gcd(groups_, filters), filters)));
}

at::Tensor ConvolutionChain::forward(const at::Tensor& inputs) {
  auto h = inputs;
  for (std::size_t i = 0; i < convolutions_.size(); ++i) h = norms_[i]->forward(convolutions_[i]->forward(i == 0 ? h : h.relu()));
  return h;
}

}  // namespace ghostgrad::models
