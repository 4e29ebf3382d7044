// SPDX-License-Identifier: Apache-2.0
// Which elements of a tensor a view of it shows, and in which order: what transposes, slices, splits and reshapes make of its addresses.
//
//     Layout layout = Layout::of({12, 4});            // the elements 0 .. 47, row by row
//     layout.narrow(0, 4, 4, 1);                      // the second of three parts
//     layout.swap(0, 1);                              // transposed
//
// Element (i_0, i_1, ...) of the view is element offset + sum_k i_k strides[k] of the tensor, read row by row.
#pragma once

#include <optional>
#include <vector>

#include "ghostgrad/graph/walk.h"

namespace ghostgrad::graph {

struct Layout {
  Shape sizes, strides;
  int64_t offset = 0;

  /// The whole tensor, row by row.
  [[nodiscard]] static Layout of(const Shape& sizes);

  void swap(int64_t one, int64_t other);
  /// Dimension k becomes what was dimension dims[k].
  void permute(const Shape& dims);
  /// `count` of every `step`-th from `start` on.
  void narrow(int64_t dim, int64_t start, int64_t count, int64_t step);
  void select(int64_t dim, int64_t index);
  /// False, and nothing is changed, where no strides show these elements with those sizes.
  [[nodiscard]] bool view(const Shape& to);

  /// Without dimensions of one element, of which no address depends.
  [[nodiscard]] Layout squeezed() const;
  [[nodiscard]] int64_t numel() const;
  bool operator==(const Layout&) const = default;
};

/// Whether no element is shown twice, by views of a tensor of so many elements.
[[nodiscard]] bool disjoint(const std::vector<Layout>& views, int64_t numel);

}  // namespace ghostgrad::graph
