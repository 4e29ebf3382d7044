// SPDX-License-Identifier: Apache-2.0
// A causal language model in the shape of GPT-2 [Radford19]: predicts each token from those before it.
//
//     h = E[tokens] + position[:T]                   tokens [B, T] int64 -> h [B, T, d]
//     logits = norm(blocks(h)) W^T                   [B, T, V]; W = E when the head is tied to the embedding
//
// An example is one sequence; its loss is the mean over its own positions, never over the batch.
//
//     auto model = std::make_shared<models::Gpt>(models::GptOptions{.vocabulary = 8000, .positions = 128});
#pragma once

#include <vector>

#include <torch/nn/modules/embedding.h>

#include "ghostgrad/models/block.h"

namespace ghostgrad::models {

struct GptOptions {
  int64_t vocabulary = 8000;
  int64_t positions = 128;  // the longest sequence
  int64_t width = 256;
  int64_t layers = 4;
  int64_t heads = 4;
  bool tied = false;
};

class Gpt : public Model {
 public:
  explicit Gpt(const GptOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  torch::nn::Embedding embed_;
  at::Tensor position_;  // [positions, d]
  std::vector<std::shared_ptr<Block>> blocks_;
  torch::nn::LayerNorm norm_;
  torch::nn::Linear head_{nullptr};  // empty when tied
};

}  // namespace ghostgrad::models
