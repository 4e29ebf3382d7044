// SPDX-License-Identifier: Apache-2.0
// The windows that a convolution slides over its input, laid out as columns: with them a convolution is a product of matrices.
//
//     u[c k, o] = x[c, o * stride + k * dilation - padding]        k runs over the kernel, o over the output positions
//     weight gradient = g u^T                                      for each group of channels
//
// Any number of spatial dimensions. One copy, and none at all for a 1x1 kernel of stride 1.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace ghostgrad::rules {

/// How a convolution moves over its input. stride, padding, dilation have one entry for each spatial dimension.
struct Convolution {
  std::vector<int64_t> stride, padding, dilation;
  int64_t groups = 1;
  [[nodiscard]] bool operator==(const Convolution&) const = default;
};

/// The sizes of the windows: how far the kernel reaches, and how many positions there are.
struct Windows {
  at::IntArrayRef kernel, positions;
};

/// inputs [B, m, C, *spatial] -> [B, groups, C / groups * prod(kernel), m * prod(positions)]
[[nodiscard]] at::Tensor unfold(const at::Tensor& inputs, const Convolution& convolution, const Windows& windows);

}  // namespace ghostgrad::rules
