// SPDX-License-Identifier: Apache-2.0
// One transformer layer, examples first [Vaswani17]:
//
//     h = h + proj(attention(qkv(norm(h))))         h [B, T, d]; norm first [Xiong20], as GPT-2 and ViT
//     h = h + down(gelu(up(norm(h))))               up: d -> 4 d
//
//     h = norm(h + proj(attention(qkv(h))))         norm last, as the original and BERT
//     h = norm(h + down(gelu(up(h))))
//
// Without dropout: its mask would be one more source of randomness, and the noise of the release already regularises.
#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct BlockOptions {
  int64_t width = 64;  // d, a multiple of heads
  int64_t heads = 4;
  bool causal = false;  // position t sees positions 0 to t only
  bool norm_first = true;
};

class Block : public torch::nn::Module {
 public:
  explicit Block(const BlockOptions& options);
  /// h [B, T, d] -> [B, T, d]; visible: bool, broadcasts to [B, heads, T, T], false where a position is not seen; undefined: all are
  at::Tensor forward(const at::Tensor& h, const at::Tensor& visible = {});

 private:
  [[nodiscard]] at::Tensor attention(const at::Tensor& h, const at::Tensor& visible);
  [[nodiscard]] at::Tensor widened(const at::Tensor& h);

  BlockOptions options_;
  torch::nn::LayerNorm norm0_, norm1_;
  torch::nn::Linear qkv_, proj_, up_, down_;
};

/// layers blocks registered in `parent` as block0, block1, ...
[[nodiscard]] std::vector<std::shared_ptr<Block>> register_blocks(torch::nn::Module& parent, const BlockOptions& options, int64_t layers);

}  // namespace ghostgrad::models
