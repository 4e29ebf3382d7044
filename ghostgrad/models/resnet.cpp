// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/resnet.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace ghostgrad::models {
namespace {

constexpr int64_t kSmallImage = 64;
constexpr int64_t kExpansion = 4;  // of a bottleneck

torch::nn::Conv2dOptions convolution(int64_t from, int64_t to, int64_t kernel, int64_t stride = 1) {
  return torch::nn::Conv2dOptions(from, to, kernel).stride(stride).padding(kernel / 2).bias(false);
}

}  // namespace

ResidualBlock::ResidualBlock(const ResidualOptions& options)
    : residual_(register_module("residual", std::make_shared<ConvolutionChain>(options.groups))),
      shortcut_(register_module("shortcut", std::make_shared<ConvolutionChain>(options.groups))) {
  const int64_t to = options.bottleneck ? kExpansion * options.filters : options.filters;
  if (options.bottleneck) {
    residual_->add(convolution(options.from, options.filters, 1));
    residual_->add(convolution(options.filters, options.filters, 3, options.stride));
    residual_->add(convolution(options.filters, to, 1));
  } else {
    residual_->add(convolution(options.from, to, 3, options.stride));
    residual_->add(convolution(to, to, 3));
  }
  if (options.from != to || options.stride != 1) shortcut_->add(convolution(options.from, to, 1, options.stride));
}

at::Tensor ResidualBlock::forward(const at::Tensor& h) { return (residual_->forward(h) + shortcut_->forward(h)).relu(); }

ResNet::ResNet(const ResNetOptions& options)
    : small_(options.image.height < kSmallImage || options.image.width < kSmallImage),
      stem_(register_module("stem", std::make_shared<ConvolutionChain>(options.groups))) {
  require_side("resnet", options.image, 8);
  stem_->add(convolution(options.image.channels, options.width, small_ ? 3 : 7, small_ ? 1 : 2));
  int64_t from = options.width, filters = options.width;
  for (const int64_t count : options.blocks) {
    for (int64_t i = 0; i < count; ++i) {
      const ResidualOptions block{from, filters, i == 0 && filters > options.width ? 2 : 1, options.bottleneck, options.groups};
      blocks_.push_back(register_module(fmt::format("block{}", blocks_.size()), std::make_shared<ResidualBlock>(block)));
      from = options.bottleneck ? kExpansion * filters : filters;
    }
    filters *= 2;
  }
  head_ = register_module("head", torch::nn::Linear(from, options.classes));
}

at::Tensor ResNet::forward(const at::Tensor& inputs) {
  auto h = stem_->forward(inputs).relu();
  if (!small_) h = at::max_pool2d(h, 3, 2, 1);
  for (const auto& block : blocks_) h = block->forward(h);
  return head_->forward(h.mean({2, 3}));
}

}  // namespace ghostgrad::models
