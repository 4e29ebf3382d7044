// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/vgg.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace ghostgrad::models {
namespace {

constexpr int64_t kGroups = 16;
constexpr int64_t kMostFilters = 8;  // times those of the first stage

}  // namespace

Vgg::Vgg(const VggOptions& options) {
  const int64_t shrinks = int64_t{1} << options.convolutions.size();
  require_side("vgg", options.image, shrinks);
  int64_t from = options.image.channels, filters = options.width;
  for (const int64_t count : options.convolutions) {
    auto stage = register_module(fmt::format("stage{}", stages_.size()), std::make_shared<ConvolutionChain>(kGroups));
    for (int64_t i = 0; i < count; ++i) {
      stage->add(torch::nn::Conv2dOptions(from, filters, 3).padding(1));
      from = filters;
    }
    stages_.push_back(std::move(stage));
    filters = std::min(2 * filters, kMostFilters * options.width);
  }
  from *= (options.image.height / shrinks) * (options.image.width / shrinks);
  auto widths = options.hidden;
  widths.push_back(options.classes);
  for (const int64_t width : widths) {
    linears_.push_back(register_module(fmt::format("linear{}", linears_.size()), torch::nn::Linear(from, width)));
    from = width;
  }
}

at::Tensor Vgg::forward(const at::Tensor& inputs) {
  auto h = inputs;
  for (const auto& stage : stages_) h = at::max_pool2d(stage->forward(h).relu(), 2);
  h = linears_.front()->forward(h.flatten(1));
  for (std::size_t i = 1; i < linears_.size(); ++i) h = linears_[i]->forward(h.relu());
  return h;
}

}  // namespace ghostgrad::models
