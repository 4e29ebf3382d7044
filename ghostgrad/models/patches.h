// SPDX-License-Identifier: Apache-2.0
// An image as a sequence of tokens, one for each square patch and a learned class token before them [Dosovitskiy21, Eq. 1]:
//
//     h = [class; E patch_1; ...; E patch_T]            [B, C, H, W] -> [B, 1 + T, d], T = (H / patch) (W / patch)
//
// The embedding E is a convolution whose stride is its kernel.
#pragma once

#include <torch/nn/modules/conv.h>

#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct PatchOptions {
  ImageShape image = {3, 32, 32};
  int64_t patch = 0;  // side, divides the image's; 0 is 16, or 4 for images below 64 pixels
  int64_t width = 64;
};

class Patches : public torch::nn::Module {
 public:
  /// Throws InvalidArgument if the patch does not divide the image.
  explicit Patches(const PatchOptions& options);
  at::Tensor forward(const at::Tensor& images);
  [[nodiscard]] int64_t rows() const { return rows_; }
  [[nodiscard]] int64_t columns() const { return columns_; }
  [[nodiscard]] int64_t tokens() const { return 1 + rows_ * columns_; }

 private:
  int64_t rows_, columns_;
  torch::nn::Conv2d embed_{nullptr};
  at::Tensor token_;  // [1, 1, d]
};

}  // namespace ghostgrad::models
