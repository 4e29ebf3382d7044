// SPDX-License-Identifier: Apache-2.0
// Rows read and written by integer indices along the example axis: routing, packing, sorting, mixtures of experts.
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/indexing.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

constexpr Handles with_holes{.every_slot = false, .single = true};

const Registered reads = transfers<IndexBackward0, UnsafeIndexBackward0>(
    [](const auto& node, Transfer& t) {
      if (t.wanted(0)) through_reading(t, read_indices(unpack_all(node.indices_, t.node()), t.edge_shape()));
    },
    with_holes);

const Registered selects = transfers<IndexSelectBackward0>(
    [](const auto& node, Transfer& t) {
      if (!t.wanted(0) || t.edge_rank() == 0) return;
      std::vector<at::Tensor> indices(from_front(node.dim, t.edge_rank()) + 1);
      indices.back() = node.index_.unpack(t.node()).reshape(-1);
      through_reading(t, read_indices(indices, t.edge_shape()));
    },
    with_holes);

/// Edges: x, whose overwritten rows get nothing; the values.
const Registered writes = transfers<IndexPutBackward0, UnsafeIndexPutBackward0, IndexPutImplBackward0>([](const auto& node, Transfer& t) {
  t.elementwise(0);
  if (t.wanted(1)) through_writing(t, read_indices(unpack_all(node.indices_, t.node()), t.shape()), 1);
});

/// x.index_add(dim, index, source), x.index_copy(dim, index, source): edges x and source.
const Registered adds = transfers<IndexAddBackward0, IndexCopyBackward0>([](const auto& node, Transfer& t) {
  t.elementwise(0);
  const auto axis = t.axis();
  if (!axis || !t.wanted(1) || t.edge_rank(1) != t.rank()) return;
  const int dim = from_front(node.dim, t.rank());
  if (axis->dim != dim) return t.keep(1, axis, axis->dim);
  const at::Tensor index = plain_index(node.index_.unpack(t.node()).reshape(-1), axis->size);
  if (!index.defined()) return;
  const std::vector<int32_t> of_x = t.owners(*axis);
  std::vector<int32_t> of_source;
  for (int64_t j = 0; j < index.numel(); ++j) of_source.push_back(of_x[index.const_data_ptr<int64_t>()[j]]);
  t.set(1, dim, std::move(of_source));
});

const Registered fills = transfers({"IndexFillBackward0", "IndexFillBackward1"}, [](Transfer& t) { t.elementwise(); });

}  // namespace
}  // namespace ghostgrad::graph
