// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/roberta.h"

#include <ATen/ATen.h>

namespace ghostgrad::models {

Roberta::Roberta(const RobertaOptions& options)
    : embed_(register_module("embed", torch::nn::Embedding(torch::nn::EmbeddingOptions(options.vocabulary, options.width)
                                                               ._weight(0.02 * at::randn({options.vocabulary, options.width}))))),
      position_(register_parameter("position", 0.02 * at::randn({options.positions, options.width}))),
      norm_(register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width})))),
      blocks_(register_blocks(*this, {.width = options.width, .heads = options.heads, .norm_first = false}, options.layers)),
      dense_(register_module("dense", torch::nn::Linear(options.width, options.width))),
      head_(register_module("head", torch::nn::Linear(options.width, options.classes))) {}

at::Tensor Roberta::forward(const at::Tensor& inputs) {
  require_tokens("roberta", inputs, position_.size(0));
  auto visible = inputs.ne(0);
  visible.select(1, 0).fill_(true);  // something must be seen, also in a sequence that holds nothing
  visible = visible.unsqueeze(1).unsqueeze(1);
  auto h = norm_->forward(embed_->forward(inputs) + position_.slice(0, 0, inputs.size(1)));
  for (const auto& block : blocks_) h = block->forward(h, visible);
  return head_->forward(dense_->forward(h.select(1, 0)).tanh());
}

}  // namespace ghostgrad::models
