// SPDX-License-Identifier: Apache-2.0
// How ownership moves when a gradient changes shape.
//
//     reshaped     same elements in the same row-major order, another shape:  [B, T, d] -> [B*T, d]
//     reduced_to   what the engine does with a broadcast operand's gradient:  sum [B, d] down to [1, d] or [d]
//     placed       an axis that was read off one shape, written into another
//
// Guarantee: if elements of the given gradient have the given owners, then so have those of the result; where that cannot be said of
// every element, the result is mixed. -1 (structurally zero) stands aside everywhere.
#pragma once

#include <cstdint>
#include <vector>

#include "ghostgrad/graph/ownership.h"

namespace ghostgrad::graph {

/// A vector of owners, owned.
[[nodiscard]] Owners share(std::vector<int32_t> owners);

/// The axis written along `dim` of `shape`; mixed unless that dimension has as many indices.
[[nodiscard]] Ownership placed(const Axis& axis, int dim, const Shape& shape, int64_t examples);

[[nodiscard]] Ownership reshaped(const Ownership& ownership, const Shape& from, const Shape& to, int64_t examples);

[[nodiscard]] Ownership reduced_to(const Ownership& ownership, const Shape& from, const Shape& to, int64_t examples);

/// One owner per element (row-major, -1 for none) of a resolved layout.
[[nodiscard]] std::vector<int32_t> to_elements(const Ownership& ownership, const Shape& shape, int64_t examples);

/// The layout that says the same as one owner per element (row-major, -1 for none); mixed if no layout does.
[[nodiscard]] Ownership from_elements(const std::vector<int32_t>& elements, const Shape& shape, int64_t examples);

/// The owner of each of `size` bins, where element j falls into bin[j] (-1: into none); null if two examples meet in one bin.
[[nodiscard]] Owners into_bins(const std::vector<int32_t>& elements, const int64_t* bins, int64_t size);

/// Owners of the input channels of a grouped op, from those of its output channels: a group that belongs to an example is its as a whole.
/// Empty where a group holds two examples.
[[nodiscard]] std::vector<int32_t> through_groups(const std::vector<int32_t>& outputs, int64_t groups, int64_t inputs);

}  // namespace ghostgrad::graph
