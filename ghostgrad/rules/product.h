// SPDX-License-Identifier: Apache-2.0
// Products of two matrices, by the library of choice. What ATen multiplies by is the fastest on the processors of its maker only: on others
// oneDNN, which runs the fused recurrent op, is twice as fast.
//
//     const at::Tensor sums = onednn_product(rows, weight.t());      // a [m, k], b [k, n] -> [m, n]
//
// Guarantee: the same products, to rounding; each row of the result depends on that row of `a` alone.
#pragma once

#include <ATen/core/Tensor.h>

namespace ghostgrad::rules {

/// a [m, k], b [k, n] -> [m, n]
using Product = at::Tensor (*)(const at::Tensor& a, const at::Tensor& b);

/// By whatever ATen takes.
[[nodiscard]] at::Tensor plain_product(const at::Tensor& a, const at::Tensor& b);

/// By oneDNN, where it is there and the matrices are float32 on the CPU and not small; else as plain_product.
[[nodiscard]] at::Tensor onednn_product(const at::Tensor& a, const at::Tensor& b);

}  // namespace ghostgrad::rules
