// SPDX-License-Identifier: Apache-2.0
// Indices of a dimension in another order or in windows: flip, roll, unfold, diag_embed.
#include <algorithm>

#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

const Registered flips = transfers<FlipBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis) return;
  const bool flipped = std::any_of(node.dims.begin(), node.dims.end(), [&](int64_t dim) { return from_front(dim, t.rank()) == axis->dim; });
  if (!flipped) return t.keep(0, axis, axis->dim);
  std::vector<int32_t> owners = t.owners(*axis);
  std::reverse(owners.begin(), owners.end());
  t.set(0, axis->dim, std::move(owners));
});

/// y[(j + shift) % n] = x[j]; without dims the flattened tensor is rolled, which no single dimension describes.
const Registered rolls = transfers<RollBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || node.dims.empty()) return;
  int64_t shift = 0;
  for (size_t i = 0; i < node.dims.size(); ++i) {
    if (from_front(node.dims[i], t.rank()) == axis->dim) shift += as_int(node.shifts[i]);
  }
  shift = ((shift % axis->size) + axis->size) % axis->size;
  std::vector<int32_t> owners = t.owners(*axis);
  std::rotate(owners.begin(), owners.begin() + shift, owners.end());
  t.set(0, axis->dim, std::move(owners));
});

/// Windows of one dimension: they become that dimension, their inside a new last one.
const Registered windows = transfers<UnfoldBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || !t.wanted(0) || axis->dim == t.edge_rank()) return;
  if (axis->dim != from_front(node.dimension, t.edge_rank())) t.keep(0, axis, axis->dim);
});

/// x's last dimension on the diagonal of new dims (dim1, dim2): row i + max(0, -offset), column i + max(0, offset).
const Registered diagonal_embeddings = transfers<DiagEmbedBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || !t.wanted(0)) return;
  const int row = from_front(node.dim1, t.rank());
  const int column = from_front(node.dim2, t.rank());
  const int last = t.edge_rank() - 1;
  if (axis->dim == row) return t.keep_shifted(0, axis, last, -std::max<int64_t>(0, -node.offset));
  if (axis->dim == column) return t.keep_shifted(0, axis, last, -std::max<int64_t>(0, node.offset));
  t.keep(0, axis, axis->dim - (axis->dim > row) - (axis->dim > column));
});

}  // namespace
}  // namespace ghostgrad::graph
