// SPDX-License-Identifier: Apache-2.0
// Tensors put together (cat, stack), padded or repeated: each operand's gradient is a part of the result's.
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

/// cat skips operands of shape [0], whatever the shape of the others.
template <class Sizes>
int64_t size_in_cat(const Sizes& sizes, int dim) {
  return sizes.size() == 1 && as_int(sizes[0]) == 0 ? 0 : as_int(sizes[dim]);
}

const Registered cats = transfers<CatBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis) return;
  const int dim = from_front(node.dim, t.rank());
  int64_t start = 0;
  int edge = 0;
  for (const auto& sizes : node.tensors_args_sizes_symint) {
    axis->dim == dim ? t.keep_shifted(edge, axis, dim, -start) : t.keep(edge, axis, axis->dim);
    start += size_in_cat(sizes, dim);
    ++edge;
  }
});

const Registered stacks = transfers<StackBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis) return;
  const int dim = from_front(node.dim, t.rank());
  for (int edge = 0; edge < t.edges(); ++edge) {
    if (axis->dim != dim) {
      t.keep(edge, axis, axis->dim - (axis->dim > dim));
    } else {
      const int32_t owner = t.owners(*axis)[edge];
      t.set(edge, owner < 0 ? Ownership::none() : Ownership::single(owner));
    }
  }
});

/// pad lists (before, after) from the last dimension backward.
const Registered pads = transfers<ConstantPadNdBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis) return;
  const Ints pad = as_ints(node.pad);
  const size_t before = 2 * static_cast<size_t>(t.rank() - 1 - axis->dim);
  t.keep_shifted(0, axis, axis->dim, before < pad.size() ? -pad[before] : 0);
});

/// y[.., j, ..] = x[.., j % n, ..]: the copies' owners must agree.
const Registered repeats = transfers<RepeatBackward0>([](const auto&, Transfer& t) {
  const auto axis = t.axis();
  const int ahead = t.wanted(0) ? t.rank() - t.edge_rank() : -1;
  if (!axis || ahead < 0 || axis->dim < ahead) return;
  const int dim = axis->dim - ahead;
  std::vector<int64_t> copy_of(axis->size);
  for (int64_t j = 0; j < axis->size; ++j) copy_of[j] = j % t.edge_shape()[dim];
  if (const Owners owners = into_bins(t.owners(*axis), copy_of.data(), t.edge_shape()[dim])) t.set(0, dim, *owners);
});

}  // namespace
}  // namespace ghostgrad::graph
