// SPDX-License-Identifier: Apache-2.0
// Brings the examples of a tensor to the front, whatever its layout: [B, T, d], [T, B, d], [B*T, d], [1, B*C, ...], packed or routed rows.
//
//     tensor [..., S_k, ...] with owner((j / inner) % B) along dim k   ->   [B, positions, *rest]
//
// `rest` are the dimensions from `rest_from` on; everything before them, but the example, is flattened into positions. Rows of routed
// layouts (owners given) are gathered per example and filled up with zero rows to the longest.
#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

#include "ghostgrad/graph/ownership.h"

namespace ghostgrad::rules {

/// Requires axis.dim < rest_from.
[[nodiscard]] at::Tensor examples_first(const at::Tensor& tensor, const graph::Axis& axis, int64_t examples, int64_t rest_from);

/// Sums a gradient, example by example, over the dimensions that broadcasting added or stretched: grads -> [B, *shape], at least float32.
/// Nothing when the example axis itself is not reduced away (then each example owns a part of `shape`), or the layout has none.
[[nodiscard]] std::optional<at::Tensor> sum_to_shape(const at::Tensor& grads, const graph::Ownership& ownership, int64_t examples,
                                                     const graph::Shape& shape);

}  // namespace ghostgrad::rules
