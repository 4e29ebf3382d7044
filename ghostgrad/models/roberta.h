// SPDX-License-Identifier: Apache-2.0
// A bidirectional encoder of token sequences with a classifier on its first position, in the shape of RoBERTa [Liu19; Devlin19].
//
//     h = norm(E[tokens] + position[:T])             tokens [B, T] int64; token 0 begins each sequence and fills it up
//     h = blocks(h)                                  norm last; positions that only fill up are not seen
//     logits = W tanh(V h[0] + a) + b
//
//     auto model = std::make_shared<models::Roberta>(models::RobertaOptions{.vocabulary = 1000, .positions = 64});
#pragma once

#include <vector>

#include <torch/nn/modules/embedding.h>

#include "ghostgrad/models/block.h"

namespace ghostgrad::models {

struct RobertaOptions {
  int64_t vocabulary = 8000;
  int64_t positions = 128;  // the longest sequence
  int64_t classes = 2;
  int64_t width = 128;
  int64_t layers = 2;
  int64_t heads = 2;
};

class Roberta : public Model {
 public:
  explicit Roberta(const RobertaOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  torch::nn::Embedding embed_;
  at::Tensor position_;  // [positions, d]
  torch::nn::LayerNorm norm_;
  std::vector<std::shared_ptr<Block>> blocks_;
  torch::nn::Linear dense_, head_;
};

}  // namespace ghostgrad::models
