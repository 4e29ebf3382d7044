// SPDX-License-Identifier: Apache-2.0
// gather and scatter along a dimension, by an index for each element. Along other dimensions examples stay apart; along the example axis
// the index itself tells whether they do.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/indexing.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

/// The index without the dimensions it was merely expanded over (other than `dim`), which usually leaves one entry per row.
at::Tensor without_expansion(at::Tensor index, int dim) {
  for (int d = 0; d < static_cast<int>(index.dim()); ++d) {
    if (d != dim && index.size(d) > 1 && index.stride(d) == 0) index = index.narrow(d, 0, 1);
  }
  return index;
}

/// y[.., j, ..] = x[.., index[.., j, ..], ..]
const Registered gathers = transfers<GatherBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || !t.wanted(0) || node.sparse_grad) return;
  const int dim = from_front(node.dim, t.rank());
  if (axis->dim != dim) return t.keep_shifted(0, axis, axis->dim, 0);
  const at::Tensor index = plain_index(without_expansion(node.index_.unpack(t.node()), dim), t.edge_shape()[dim]);
  if (!index.defined() || index.dim() != t.rank()) return;
  const Shape shape = as_shape(index.sizes());
  const std::vector<int32_t> elements = to_elements(placed(*axis, dim, shape, t.examples()), shape, t.examples());
  if (const Owners owners = into_bins(elements, index.const_data_ptr<int64_t>(), t.edge_shape()[dim])) t.set(0, dim, *owners);
});

/// x[.., index[.., j, ..], ..] = or += source[.., j, ..]: edges x and source.
const Registered scatters = transfers<ScatterBackward0, ScatterBackward1, ScatterAddBackward0>([](const auto& node, Transfer& t) {
  t.elementwise(0);
  const auto axis = t.axis();
  if (!axis || !t.wanted(1) || t.edge_rank(1) != t.rank()) return;
  const int dim = from_front(node.dim, t.rank());
  if (axis->dim != dim) return t.keep_shifted(1, axis, axis->dim, 0);
  const at::Tensor index = plain_index(without_expansion(node.index_.unpack(t.node()), dim), axis->size);
  if (!index.defined() || index.dim() != t.rank()) return;
  const std::vector<int32_t> of_x = t.owners(*axis);
  std::vector<int32_t> elements(index.numel());
  for (size_t e = 0; e < elements.size(); ++e) elements[e] = of_x[index.const_data_ptr<int64_t>()[e]];
  const Shape shape = as_shape(index.sizes());
  const Ownership inside = from_elements(elements, shape, t.examples());
  const auto along = axis_of(inside, shape, t.examples());
  if (along) t.keep(1, along, along->dim);
  if (inside.kind == Ownership::Kind::single || !inside.live()) t.set(1, inside);
});

const Registered reduced_scatters = transfers<ScatterReduceBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || axis->dim == from_front(node.dim, t.rank())) return;
  t.keep(0, axis, axis->dim);
  t.keep_shifted(1, axis, axis->dim, 0);
});

/// y = x.flatten()[index]
const Registered takes = transfers<TakeBackward0>([](const auto& node, Transfer& t) {
  if (!t.wanted(0)) return;
  const at::Tensor index = plain_index(node.index_.unpack(t.node()), count(t.edge_shape()));
  if (!index.defined()) return;
  const auto elements = to_elements(t.in(), t.shape(), t.examples());
  const Owners owners = into_bins(elements, index.const_data_ptr<int64_t>(), count(t.edge_shape()));
  if (owners) t.set(0, from_elements(*owners, t.edge_shape(), t.examples()));
});

}  // namespace
}  // namespace ghostgrad::graph
