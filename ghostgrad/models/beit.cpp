// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/beit.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::models {
namespace {

int64_t distances_between_patches(int64_t rows, int64_t columns) { return (2 * rows - 1) * (2 * columns - 1); }

torch::nn::LayerNorm norm_of(int64_t width) { return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})); }

}  // namespace

at::Tensor places_of_pairs(int64_t rows, int64_t columns) {
  const auto row = at::arange(rows, at::kLong).repeat_interleave(columns), column = at::arange(columns, at::kLong).repeat({rows});
  const auto down = row.unsqueeze(1) - row.unsqueeze(0) + rows - 1, right = column.unsqueeze(1) - column.unsqueeze(0) + columns - 1;
  const auto distances = distances_between_patches(rows, columns);
  auto places = at::empty({1 + rows * columns, 1 + rows * columns}, at::kLong);
  places.slice(0, 1).slice(1, 1).copy_(down * (2 * columns - 1) + right);
  places.select(0, 0).fill_(distances);
  places.select(1, 0).fill_(distances + 1);
  places[0][0] = distances + 2;
  return places;
}

BeitBlock::BeitBlock(const BeitOptions& options, int64_t distances)
    : heads_(options.heads),
      norm0_(register_module("norm0", norm_of(options.width))),
      norm1_(register_module("norm1", norm_of(options.width))),
      query_(register_module("query", torch::nn::Linear(options.width, options.width))),
      key_(register_module("key", torch::nn::Linear(torch::nn::LinearOptions(options.width, options.width).bias(false)))),
      value_(register_module("value", torch::nn::Linear(options.width, options.width))),
      proj_(register_module("proj", torch::nn::Linear(options.width, options.width))),
      up_(register_module("up", torch::nn::Linear(options.width, 4 * options.width))),
      down_(register_module("down", torch::nn::Linear(4 * options.width, options.width))),
      table_(register_parameter("table", 0.02 * at::randn({distances, options.heads}))),
      scale0_(register_parameter("scale0", at::full({options.width}, options.scale))),
      scale1_(register_parameter("scale1", at::full({options.width}, options.scale))) {}

at::Tensor BeitBlock::by_head(const at::Tensor& h) const { return h.view({h.size(0), h.size(1), heads_, -1}).transpose(1, 2); }

at::Tensor BeitBlock::attention(const at::Tensor& h, const at::Tensor& places) {
  const auto bias = table_.index_select(0, places.flatten()).view({places.size(0), places.size(1), heads_}).permute({2, 0, 1});
  const auto mixed = at::scaled_dot_product_attention(by_head(query_->forward(h)), by_head(key_->forward(h)), by_head(value_->forward(h)),
                                                      bias.unsqueeze(0));
  return proj_->forward(mixed.transpose(1, 2).flatten(2));
}

at::Tensor BeitBlock::forward(const at::Tensor& h, const at::Tensor& places) {
  const auto attended = h + scale0_ * attention(norm0_->forward(h), places);
  return attended + scale1_ * down_->forward(at::gelu(up_->forward(norm1_->forward(attended))));
}

Beit::Beit(const BeitOptions& options) {
  if (options.heads < 1 || options.width % options.heads != 0) {
    throw base::InvalidArgument("beit", "the width must be a multiple of the number of heads",
                                fmt::format("width {}, {} heads", options.width, options.heads), "choose another width or number of heads");
  }
  patches_ = register_module("patches", std::make_shared<Patches>(PatchOptions{options.image, options.patch, options.width}));
  places_ = places_of_pairs(patches_->rows(), patches_->columns());
  const int64_t distances = distances_between_patches(patches_->rows(), patches_->columns()) + 3;
  for (int64_t i = 0; i < options.layers; ++i)
    blocks_.push_back(register_module(fmt::format("block{}", i), std::make_shared<BeitBlock>(options, distances)));
  norm_ = register_module("norm", norm_of(options.width));
  head_ = register_module("head", torch::nn::Linear(options.width, options.classes));
}

at::Tensor Beit::forward(const at::Tensor& inputs) {
  auto h = patches_->forward(inputs);
  const auto places = places_.to(h.device());
  for (const auto& block : blocks_) h = block->forward(h, places);
  return head_->forward(norm_->forward(h.slice(1, 1).mean(1)));
}

}  // namespace ghostgrad::models
