// SPDX-License-Identifier: Apache-2.0
// The vision transformer of BEiT [Bao22, Sec. 2.3 and App. D]: positions enter as a bias of the attention, learned for each distance
// between two patches, and what a layer adds is scaled for each feature.
//
//     h = h + gamma proj(softmax(q k^T / sqrt(d / heads) + R) v)      R_st = table[place(s) - place(t)]  [heads, T, T]
//     h = h + gamma' down(gelu(up(norm(h))))                          k without bias
//     logits = linear(norm(mean over patches))
//
//     auto model = std::make_shared<models::Beit>(models::BeitOptions{.image = {3, 32, 32}});
#pragma once

#include <vector>

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "ghostgrad/models/patches.h"

namespace ghostgrad::models {

struct BeitOptions {
  ImageShape image = {3, 32, 32};
  int64_t classes = 10;
  int64_t patch = 0;  // as in patches.h
  int64_t width = 192;
  int64_t layers = 12;
  int64_t heads = 3;
  double scale = 0.1;  // gamma at the start
};

class BeitBlock : public torch::nn::Module {
 public:
  BeitBlock(const BeitOptions& options, int64_t distances);
  /// h [B, T, d], places [T, T]: row of the table for each pair of tokens
  at::Tensor forward(const at::Tensor& h, const at::Tensor& places);

 private:
  [[nodiscard]] at::Tensor attention(const at::Tensor& h, const at::Tensor& places);
  [[nodiscard]] at::Tensor by_head(const at::Tensor& h) const;  // [B, T, d] -> [B, heads, T, d / heads]

  int64_t heads_;
  torch::nn::LayerNorm norm0_, norm1_;
  torch::nn::Linear query_, key_, value_, proj_, up_, down_;
  at::Tensor table_;            // [distances, heads]
  at::Tensor scale0_, scale1_;  // [d]
};

class Beit : public Model {
 public:
  explicit Beit(const BeitOptions& options);
  at::Tensor forward(const at::Tensor& inputs) override;

 private:
  std::shared_ptr<Patches> patches_;
  at::Tensor places_;  // no buffer: to(dtype) would make floating-point numbers of them
  std::vector<std::shared_ptr<BeitBlock>> blocks_;
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear head_{nullptr};
};

/// Which row of a table each pair of tokens of a rows x columns image with a class token reads: (2 rows - 1)(2 columns - 1) distances
/// between patches, then class to patch, patch to class, class to class. -> [T, T] int64
[[nodiscard]] at::Tensor places_of_pairs(int64_t rows, int64_t columns);

}  // namespace ghostgrad::models
