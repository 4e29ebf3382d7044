// SPDX-License-Identifier: Apache-2.0
// Which example owns which element of a gradient: the abstract domain of the structural propagation (propagate.h).
//
//     none        no gradient flows here
//     mixed       unresolved: elements may carry several examples
//     strided     element with flat row-major index i belongs to example (i / stride) % B; view and reshape leave it as it is
//     single      every element belongs to one example (a user's loop over examples, or B = 1)
//     per_index   index j along `dim` belongs to owners[j]; -1 = structurally zero (cat, slice, routing, packing)
//
// Guarantee: a layout speaks of every possible value of the data, not of the values at hand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/graph/walk.h"

namespace ghostgrad::graph {

using Owners = std::shared_ptr<const std::vector<int32_t>>;

struct Ownership {
  enum class Kind : uint8_t { none, mixed, strided, single, per_index };
  Kind kind = Kind::none;
  int64_t stride = 0;   // strided
  int64_t example = 0;  // single
  int dim = -1;         // per_index
  Owners owners;        // per_index

  [[nodiscard]] static Ownership none() { return {}; }
  [[nodiscard]] static Ownership mixed();
  [[nodiscard]] static Ownership strided(int64_t stride);
  [[nodiscard]] static Ownership single(int64_t example);
  /// Canonical: nothing but -1 is none, one owner without holes is single, a regular vector without holes is strided.
  [[nodiscard]] static Ownership per_index(int dim, Owners owners, const Shape& shape, int64_t examples);

  [[nodiscard]] bool live() const { return kind != Kind::none; }
  [[nodiscard]] bool is_mixed() const { return kind == Kind::mixed; }
  [[nodiscard]] bool resolved() const { return live() && !is_mixed(); }
  [[nodiscard]] bool operator==(const Ownership& other) const;
};

/// A layout read along one dimension of `size` indices: index j belongs to (j / inner) % B, or to owners[j] where owners are given.
struct Axis {
  int dim = -1;
  int64_t inner = 1;
  Owners owners;
  int64_t size = 0;
};

/// The layout of a gradient of this shape along one dimension, if it has one (strided: unique for B > 1).
[[nodiscard]] std::optional<Axis> axis_of(const Ownership& ownership, const Shape& shape, int64_t examples);

/// Owner of each index along axis.dim. [size of that dim]
[[nodiscard]] Owners owners_along(const Axis& axis, const Shape& shape, int64_t examples);

/// What two gradients that are added up say together: equal layouts, or per_index vectors that do not contradict each other; else mixed.
[[nodiscard]] Ownership join(const Ownership& a, const Ownership& b, const Shape& shape, int64_t examples);

/// The owner of every element, -1 for none. int64, broadcastable to `shape` (size 1 where it does not depend on a dimension).
[[nodiscard]] at::Tensor owner_tensor(const Ownership& ownership, const Shape& shape, int64_t examples);

/// "strided(dim 0, inner 1)", for messages and tests.
[[nodiscard]] std::string to_string(const Ownership& ownership, const Shape& shape, int64_t examples);

}  // namespace ghostgrad::graph
