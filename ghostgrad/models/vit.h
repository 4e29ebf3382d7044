// SPDX-License-Identifier: Apache-2.0
// The vision transformer [Dosovitskiy21, Sec. 3.1]: patches, a learned embedding of each position, transformer layers (block.h), and a
// linear classifier on the class token.
//
//     logits = linear(norm(blocks(patches(image) + position))[0])
//
// Tiny (width 192, 12 layers, 3 heads) is from [Touvron21, Table 1], base (768, 12, 12) from [Dosovitskiy21, Table 1].
//
//     auto model = std::make_shared<models::Vit>(models::VitOptions{.image = {3, 32, 32}});
#pragma once

#include <vector>

#include "ghostgrad/models/block.h"
#include "ghostgrad/models/patches.h"

namespace ghostgrad::models {

struct VitOptions {
  ImageShape image = {3, 32, 32};
  int64_t classes = 10;
  int64_t patch = 0;  // as in patches.h
  int64_t width = 192;
  int64_t layers = 12;
  int64_t heads = 3;
};

class Vit : public Model {
 public:
  explicit Vit(const VitOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  std::shared_ptr<Patches> patches_;
  at::Tensor position_;  // [1 + T, d]
  std::vector<std::shared_ptr<Block>> blocks_;
  torch::nn::LayerNorm norm_;
  torch::nn::Linear head_;
};

}  // namespace ghostgrad::models
