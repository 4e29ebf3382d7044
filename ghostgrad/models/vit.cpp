// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/vit.h"

#include <ATen/ATen.h>

namespace ghostgrad::models {

Vit::Vit(const VitOptions& options)
    : patches_(register_module("patches", std::make_shared<Patches>(PatchOptions{options.image, options.patch, options.width}))),
      position_(register_parameter("position", 0.02 * at::randn({patches_->tokens(), options.width}))),
      blocks_(register_blocks(*this, {.width = options.width, .heads = options.heads}, options.layers)),
      norm_(register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width})))),
      head_(register_module("head", torch::nn::Linear(options.width, options.classes))) {}

at::Tensor Vit::forward(const at::Tensor& inputs) {
  auto h = patches_->forward(inputs) + position_;
  for (const auto& block : blocks_) h = block->forward(h);
  return head_->forward(norm_->forward(h.select(1, 0)));
}

}  // namespace ghostgrad::models
