// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/block.h"

#include <optional>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::models {

Block::Block(const BlockOptions& options)
    : options_(options),
      norm0_(register_module("norm0", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width})))),
      norm1_(register_module("norm1", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width})))),
      qkv_(register_module("qkv", torch::nn::Linear(options.width, 3 * options.width))),
      proj_(register_module("proj", torch::nn::Linear(options.width, options.width))),
      up_(register_module("up", torch::nn::Linear(options.width, 4 * options.width))),
      down_(register_module("down", torch::nn::Linear(4 * options.width, options.width))) {
  if (options.heads < 1 || options.width % options.heads != 0) {
    throw base::InvalidArgument("transformer", "the width must be a multiple of the number of heads",
                                fmt::format("width {}, {} heads", options.width, options.heads), "choose another width or number of heads");
  }
}

at::Tensor Block::attention(const at::Tensor& h, const at::Tensor& visible) {
  const auto heads =
      qkv_->forward(h).view({h.size(0), h.size(1), 3, options_.heads, -1}).permute({2, 0, 3, 1, 4});  // [3, B, heads, T, d / heads]
  const auto mask = visible.defined() ? std::optional(visible) : std::nullopt;
  const auto mixed = at::scaled_dot_product_attention(heads[0], heads[1], heads[2], mask, 0.0, options_.causal);
  return proj_->forward(mixed.transpose(1, 2).flatten(2));
}

at::Tensor Block::widened(const at::Tensor& h) { return down_->forward(at::gelu(up_->forward(h))); }

at::Tensor Block::forward(const at::Tensor& h, const at::Tensor& visible) {
  if (options_.norm_first) {
    const auto attended = h + attention(norm0_->forward(h), visible);
    return attended + widened(norm1_->forward(attended));
  }
  const auto attended = norm0_->forward(h + attention(h, visible));
  return norm1_->forward(attended + widened(attended));
}

std::vector<std::shared_ptr<Block>> register_blocks(torch::nn::Module& parent, const BlockOptions& options, int64_t layers) {
  std::vector<std::shared_ptr<Block>> blocks;
  for (int64_t i = 0; i < layers; ++i)
    blocks.push_back(parent.register_module(fmt::format("block{}", i), std::make_shared<Block>(options)));
  return blocks;
}

}  // namespace ghostgrad::models
