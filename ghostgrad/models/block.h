// SPDX-License-Identifier: Apache-2.0
// One transformer layer, norm first, examples first [Vaswani17], in the order of [Xiong20]:
//
//     h = h + proj(attention(qkv(norm(h))))         h [B, T, d]
//     h = h + down(gelu(up(norm(h))))               up: d -> 4 d
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
};

class Block : public torch::nn::Module {
 public:
  explicit Block(const BlockOptions& options);
  at::Tensor forward(const at::Tensor& h);  // [B, T, d] -> [B, T, d]

 private:
  [[nodiscard]] at::Tensor attention(const at::Tensor& h);

  BlockOptions options_;
  torch::nn::LayerNorm norm0_, norm1_;
  torch::nn::Linear qkv_, proj_, up_, down_;
};

/// layers blocks registered in `parent` as block0, block1, ...
[[nodiscard]] std::vector<std::shared_ptr<Block>> register_blocks(torch::nn::Module& parent, const BlockOptions& options, int64_t layers);

}  // namespace ghostgrad::models
