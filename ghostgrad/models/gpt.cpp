// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/gpt.h"

#include <ATen/ATen.h>
namespace ghostgrad::models {

Gpt::Gpt(const GptOptions& options)
    : embed_(register_module("embed", torch::nn::Embedding(torch::nn::EmbeddingOptions(options.vocabulary, options.width)
                                                               ._weight(0.02 * at::randn({options.vocabulary, options.width}))))),
      position_(register_parameter("position", 0.02 * at::randn({options.positions, options.width}))),
      blocks_(register_blocks(*this, {.width = options.width, .heads = options.heads, .causal = true}, options.layers)),
      norm_(register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width})))) {
  if (options.tied) return;
  head_ = register_module("head", torch::nn::Linear(torch::nn::LinearOptions(options.width, options.vocabulary).bias(false)));
}

at::Tensor Gpt::forward(const at::Tensor& inputs) {
  require_tokens("gpt", inputs, position_.size(0));
  auto h = embed_->forward(inputs) + position_.slice(0, 0, inputs.size(1));
  for (const auto& block : blocks_) h = block->forward(h);
  return at::linear(norm_->forward(h), head_.is_empty() ? embed_->weight : head_->weight);
}

}  // namespace ghostgrad::models
