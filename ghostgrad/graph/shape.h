// SPDX-License-Identifier: Apache-2.0
// Arithmetic on shapes: what a row-major index steps over.
#pragma once

#include <cstdint>

#include "ghostgrad/graph/walk.h"

namespace ghostgrad::graph {

/// Elements in one index step of `dim`: the product of the sizes after it. suffix(shape, -1) counts them all.
[[nodiscard]] inline int64_t suffix(const Shape& shape, int dim) {
  int64_t elements = 1;
  for (int d = dim + 1; d < static_cast<int>(shape.size()); ++d) elements *= shape[d];
  return elements;
}

[[nodiscard]] inline int64_t count(const Shape& shape) { return suffix(shape, -1); }

/// A dimension counted from the front: -1 of 3 is 2.
[[nodiscard]] inline int from_front(int64_t dim, int64_t rank) { return static_cast<int>(dim < 0 ? dim + rank : dim); }

}  // namespace ghostgrad::graph
