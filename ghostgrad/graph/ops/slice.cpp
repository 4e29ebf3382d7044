// SPDX-License-Identifier: Apache-2.0
// Parts of a tensor: their gradient fills a part of the whole's, and the rest is structurally zero.
#include <algorithm>

#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

constexpr Handles part_of_whole{.every_slot = false, .single = true};
constexpr Handles parts_of_whole{.every_slot = true, .single = true};

int64_t start_of(const c10::SymInt& start) { return as_int(start); }
int64_t start_of(const std::optional<c10::SymInt>& start) { return start ? as_int(*start) : 0; }

/// The slice x[start:end:step] of a dimension of this size.
template <class Node>
Part sliced(const Node& node, int rank, const Shape& whole) {
  const int dim = from_front(node.dim, rank);
  int64_t start = start_of(node.start);
  if (start < 0) start += whole[dim];
  return {dim, std::clamp<int64_t>(start, 0, whole[dim]), as_int(node.step)};
}

const Registered slices = transfers<SliceBackward0>(
    [](const auto& node, Transfer& t) {
      if (t.wanted(0)) t.set(0, t.embedded(0, sliced(node, t.rank(), t.edge_shape())));
    },
    part_of_whole);

const Registered selects = transfers<SelectBackward0>(
    [](const auto& node, Transfer& t) {
      if (!t.wanted(0)) return;
      const int dim = from_front(node.dim, t.edge_rank());
      t.set(0, t.embedded_index(0, dim, from_front(as_int(node.index), t.edge_shape()[dim])));
    },
    part_of_whole);

/// Joins what every live slot says of the whole.
template <class OfSlot>
void gather_parts(Transfer& t, OfSlot of_slot) {
  if (!t.wanted(0)) return;
  Ownership whole = Ownership::none();
  for (int slot = 0; slot < t.slots(); ++slot) {
    if (t.live(slot)) whole = join(whole, of_slot(slot), t.edge_shape(), t.examples());
  }
  t.set(0, whole);
}

const Registered splits = transfers<SplitBackward0, SplitWithSizesBackward0, UnsafeSplitBackward0, UnsafeSplitWithSizesBackward0>(
    [](const auto& node, Transfer& t) {
      if (!t.wanted(0)) return;
      const int dim = from_front(node.dim, t.edge_rank());
      Ints starts{0};
      for (int slot = 0; slot < t.slots(); ++slot) starts.push_back(starts.back() + t.shape(slot)[dim]);
      gather_parts(t, [&](int slot) { return t.embedded(slot, {dim, starts[slot]}); });
    },
    parts_of_whole);

const Registered unbinds = transfers<UnbindBackward0>(
    [](const auto& node, Transfer& t) {
      if (!t.wanted(0)) return;
      const int dim = from_front(node.dim, t.edge_rank());
      gather_parts(t, [&](int slot) { return t.embedded_index(slot, dim, slot); });
    },
    parts_of_whole);

/// The diagonal of dims (dim1, dim2) became the last dimension; it starts at row max(0, -offset).
const Registered diagonals = transfers<DiagonalBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || !t.wanted(0)) return;
  const int row = from_front(node.dim1, t.edge_rank());
  const int column = from_front(node.dim2, t.edge_rank());
  if (axis->dim == t.rank() - 1) return t.keep_shifted(0, axis, row, std::max<int64_t>(0, -node.offset));
  int position = 0;
  for (int dim = 0; dim < t.edge_rank(); ++dim) {
    if (dim != row && dim != column && position++ == axis->dim) t.keep(0, axis, dim);
  }
});

/// The backward of a slice, differentiated again: a slice of the whole's gradient.
const Registered second_slices = transfers<SliceBackwardBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || !t.wanted(0)) return;
  const Part part = sliced(node, t.rank(), t.shape());
  if (axis->dim != part.dim) return t.keep(0, axis, axis->dim);
  const std::vector<int32_t> whole = t.owners(*axis);
  std::vector<int32_t> owners;
  for (int64_t j = 0; j < t.edge_shape()[part.dim]; ++j) owners.push_back(whole[part.start + j * part.step]);
  t.set(0, part.dim, std::move(owners));
});

const Registered second_selects = transfers<SelectBackwardBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || !t.wanted(0)) return;
  const int dim = from_front(node.dim, t.rank());
  if (axis->dim != dim) return t.keep(0, axis, axis->dim - (axis->dim > dim));
  const int32_t owner = t.owners(*axis)[from_front(as_int(node.index), t.shape()[dim])];
  t.set(0, owner < 0 ? Ownership::none() : Ownership::single(owner));
});

}  // namespace
}  // namespace ghostgrad::graph
