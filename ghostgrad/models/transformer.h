// SPDX-License-Identifier: Apache-2.0
// Transformer encoder that classifies images: rows, or patches [Dosovitskiy21], are the tokens, with a learned
// embedding of each position, and the mean over positions in place of a class token.
//
//     h = patches W + b + position        [B, T, d], T = (height / patch height) (width / patch width)
//     logits = linear(mean_t norm(blocks(h)))
//
//     auto model = std::make_shared<models::Transformer>(models::TransformerOptions{.image = {1, 28, 28}});
#pragma once

#include <vector>

#include "ghostgrad/models/block.h"

namespace ghostgrad::models {

struct TransformerOptions {
  ImageShape image{};
  int64_t classes = 10;
  int64_t patch_height = 1;  // divides the height
  int64_t patch_width = 0;   // divides the width; 0 is the whole width, so that rows are the tokens
  int64_t width = 64;
  int64_t layers = 2;
  int64_t heads = 4;
};

class Transformer : public Model {
 public:
  explicit Transformer(const TransformerOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  [[nodiscard]] at::Tensor patches(const at::Tensor& inputs) const;  // [B, C, H, W] -> [B, T, C ph pw]

  TransformerOptions options_;
  torch::nn::Linear embed_{nullptr}, head_{nullptr};
  at::Tensor position_;  // [T, d]
  std::vector<std::shared_ptr<Block>> blocks_;
  torch::nn::LayerNorm norm_{nullptr};
};

}  // namespace ghostgrad::models
