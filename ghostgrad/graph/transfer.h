// SPDX-License-Identifier: Apache-2.0
// What a transfer function sees and says: how one op's backward carries ownership from the gradients that flow in (slots) to those that
// flow out (edges).
//
//     y = softmax(x, dim):   t.all_but(node.dim)     // any other dimension keeps its owners, along dim they would mix
//     y = x W^T:             t.keep(0, axis, 0)      // row i of the input's gradient depends on row i of g alone
//
// Every edge starts as mixed, so a transfer function says only what it can prove, and each word of the vocabulary below says nothing where
// it does not apply. Broadcasting is reduced by the engine after the op: the slot's shape against the edge's decides it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include <c10/util/ArrayRef.h>

#include "ghostgrad/graph/moves.h"
#include "ghostgrad/graph/ownership.h"

namespace ghostgrad::graph {

/// One node between its slots and its edges. Shapes of edges are those of the slots they lead to; null: nothing below is tracked.
struct NodeView {
  const NodePtr& node;
  int64_t examples;
  c10::ArrayRef<Ownership> slots;
  c10::ArrayRef<Shape> slot_shapes;
  c10::ArrayRef<const Shape*> edge_shapes;
};

/// Where a part sits in a whole: index j of the part is index start + j * step of the whole's `dim`.
struct Part {
  int dim;
  int64_t start;
  int64_t step = 1;
};

class Transfer {
 public:
  /// `results` [edges]: filled with mixed where an edge is wanted, none elsewhere.
  Transfer(const NodeView& view, std::span<Ownership> results);

  [[nodiscard]] const NodePtr& node() const { return view_.node; }
  [[nodiscard]] int64_t examples() const { return view_.examples; }
  [[nodiscard]] int slots() const { return static_cast<int>(view_.slots.size()); }
  [[nodiscard]] int edges() const { return static_cast<int>(view_.edge_shapes.size()); }
  [[nodiscard]] bool live(int slot) const { return view_.slots[slot].live(); }
  [[nodiscard]] bool wanted(int edge) const { return edge < edges() && view_.edge_shapes[edge] != nullptr; }
  [[nodiscard]] const Ownership& in(int slot = 0) const { return view_.slots[slot]; }
  [[nodiscard]] const Shape& shape(int slot = 0) const { return view_.slot_shapes[slot]; }
  [[nodiscard]] const Shape& edge_shape(int edge = 0) const { return *view_.edge_shapes[edge]; }
  [[nodiscard]] int rank(int slot = 0) const { return static_cast<int>(shape(slot).size()); }
  [[nodiscard]] int edge_rank(int edge = 0) const { return static_cast<int>(edge_shape(edge).size()); }

  /// The dimension of a slot along which examples lie, if there is one.
  [[nodiscard]] std::optional<Axis> axis(int slot = 0) const { return axis_of(in(slot), shape(slot), examples()); }
  [[nodiscard]] std::vector<int32_t> owners(const Axis& axis) const;
  /// The owner of each index along `dim`, if nothing else decides it (also when one example owns all); null otherwise.
  [[nodiscard]] Owners owners_of_dim(int slot, int dim) const;

  [[nodiscard]] const Ownership& result(int edge) const { return results_[edge]; }
  void set(int edge, Ownership ownership);
  /// The same, with the owners of each index along dim of the edge.
  void set(int edge, int dim, std::vector<int32_t> owners);

  /// The axis goes on along `dim` of the edge, index by index.
  void keep(int edge, const std::optional<Axis>& axis, int dim);
  /// Index j of the edge's dim is index j - offset of the axis; the edge's other indices get nothing.
  void keep_shifted(int edge, const std::optional<Axis>& axis, int dim, int64_t offset);

  /// Element by element, broadcast operands reduced: every edge, or one.
  void elementwise();
  void elementwise(int edge);
  /// Same elements in the same row-major order.
  void same_order();
  /// Dimension j of the slot is dimension order[j] of the edge.
  void permuted(c10::ArrayRef<int64_t> order);
  /// Every index of every dimension but this one is independent of the others.
  void all_but(int64_t dim);
  /// Every index of the first `dims` dimensions is independent of the others: edge 0, or the edges given.
  void leading(int dims);
  void leading(int dims, std::initializer_list<int> edge_list);
  /// The op reduced these dimensions of its input (all if empty).
  void reduced(c10::ArrayRef<int64_t> dims, bool keepdim, int slot = 0);

  /// What the slot says of edge 0 when it is a part of it.
  [[nodiscard]] Ownership embedded(int slot, const Part& part) const;
  /// The same for one index of dim, which the slot lacks.
  [[nodiscard]] Ownership embedded_index(int slot, int dim, int64_t index) const;

 private:
  [[nodiscard]] Ownership along(const Axis& axis, int edge, int dim) const;

  NodeView view_;
  std::span<Ownership> results_;
};

}  // namespace ghostgrad::graph
