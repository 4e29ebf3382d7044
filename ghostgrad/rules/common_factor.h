// SPDX-License-Identifier: Apache-2.0
// A left factor that several linear terms have in common: the gradients d_t of a recurrent layer's gates, which meet x_t in W and h_{t-1} in U.
// Its Gram matrices, by far the larger part of their ghost norms, are formed once for all of them.
//
//     const auto left = std::make_shared<CommonFactor>(grads, product);      // grads [B, H, T, m]
//     LinearTerm(left, inputs, shape), LinearTerm(left, states, shape)
//
// Guarantee: the Gram matrices are forgotten when as many terms had them as there are, so that norms asked for again and again cost, on
// average, each term its part: measuring them tells what they will cost (clip/router.h).
#pragma once

#include <ATen/core/Tensor.h>

#include "ghostgrad/rules/product.h"

namespace ghostgrad::rules {

/// a_t . a_s of the factor a: [B, H, T, k] -> [B*H, T, T]
[[nodiscard]] at::Tensor gram_of(const at::Tensor& factor);

class CommonFactor {
 public:
  /// values [B, H, T, m]; by: how sums over examples and positions are best formed.
  CommonFactor(at::Tensor values, Product by);

  [[nodiscard]] const at::Tensor& values() const { return values_; }
  [[nodiscard]] Product product() const { return product_; }
  /// For one of so many terms: [B*H, T, T], not to be written to.
  [[nodiscard]] at::Tensor gram(int64_t terms);

 private:
  at::Tensor values_;
  Product product_;
  at::Tensor gram_;
  int64_t taken_ = 0;  // by how many terms, since it was formed
};

}  // namespace ghostgrad::rules
