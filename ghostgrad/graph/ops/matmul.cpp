// SPDX-License-Identifier: Apache-2.0
// Products Y = A X: dA = G X^T keeps the rows of G, dX = A^T G keeps its columns, and batch dimensions stay apart.
#include <algorithm>

#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

const auto product = [](Transfer& t, int left, int right, int rank) {
  const auto axis = t.axis();
  if (!axis || t.rank() != rank) return;
  if (axis->dim != rank - 1) t.keep(left, axis, axis->dim);
  if (axis->dim != rank - 2) t.keep(right, axis, axis->dim);
};

const Registered mm = transfers({"MmBackward0"}, [](Transfer& t) { product(t, 0, 1, 2); });
const Registered bmm = transfers({"BmmBackward0"}, [](Transfer& t) { product(t, 0, 1, 3); });

const Registered addmm = transfers({"AddmmBackward0"}, [](Transfer& t) {
  t.elementwise(0);
  product(t, 1, 2, 2);
});
const Registered baddbmm = transfers({"BaddbmmBackward0"}, [](Transfer& t) {
  t.elementwise(0);
  product(t, 1, 2, 3);
});

/// self + sum_b A_b X_b: the batch is summed away, so rows and columns move up by one in [b, n, k] and [b, k, m].
const Registered addbmm = transfers({"AddbmmBackward0"}, [](Transfer& t) {
  t.elementwise(0);
  const auto axis = t.axis();
  if (axis) t.keep(axis->dim == 0 ? 1 : 2, axis, axis->dim == 0 ? 1 : 2);
});

const Registered mv = transfers({"MvBackward0"}, [](Transfer& t) { t.keep(0, t.axis(), 0); });
const Registered addmv = transfers({"AddmvBackward0"}, [](Transfer& t) {
  t.elementwise(0);
  t.keep(1, t.axis(), 0);
});

/// self + u v^T: rows belong to u, columns to v.
const Registered addr = transfers({"AddrBackward0"}, [](Transfer& t) {
  t.elementwise(0);
  const auto axis = t.axis();
  if (axis) t.keep(axis->dim == 0 ? 1 : 2, axis, 0);
});

/// Linear as one op (input [.., d], weight [p, d], bias [p]).
const Registered linear = transfers({"LinearBackward0"}, [](Transfer& t) {
  const auto axis = t.axis();
  if (!axis) return;
  if (axis->dim < t.rank() - 1) return t.keep(0, axis, axis->dim);
  t.keep(1, axis, 0);
  t.keep(2, axis, 0);
});

/// Rows [n, d], a group of them for each matrix [groups, d, p].
const Registered grouped = transfers<GroupedMmBackward0>([](const auto& node, Transfer& t) {
  if (t.rank() == 2 && node.self_sym_sizes.size() == 2 && node.mat2_sym_sizes.size() == 3) t.leading(1);
});

bool contains(c10::ArrayRef<int64_t> dims, int dim) { return std::find(dims.begin(), dims.end(), dim) != dims.end(); }

/// _trilinear multiplies three operands that lack the dims `expand`, then sums over sumdim (all counted from the front).
const Registered trilinear = transfers<TrilinearBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis) return;
  int full = 0;  // the result's dimension among those before the sum
  for (int kept = -1;; ++full) {
    if (!contains(node.sumdim, full) && ++kept == axis->dim) break;
  }
  const std::vector<int64_t>* expand[] = {&node.expand1, &node.expand2, &node.expand3};
  for (int edge = 0; edge < 3; ++edge) {
    if (contains(*expand[edge], full)) continue;
    const auto lacking = std::count_if(expand[edge]->begin(), expand[edge]->end(), [&](int64_t dim) { return dim < full; });
    t.keep(edge, axis, full - static_cast<int>(lacking));
  }
});

/// Distances [.., P, R] between rows [.., P, M] and [.., R, M].
const Registered distances = transfers({"CdistBackward0", "EuclideanDistBackward0"}, [](Transfer& t) {
  const auto axis = t.axis();
  if (!axis) return;
  for (int edge = 0; edge < 2; ++edge) {
    if (!t.wanted(edge) || t.edge_rank(edge) != t.rank()) continue;
    const int own = t.rank() - 2 + edge;  // x1's rows are the result's rows, x2's its columns
    if (axis->dim == own) t.keep(edge, axis, t.rank() - 2);
    if (axis->dim < t.rank() - 2) t.keep(edge, axis, axis->dim);
  }
});

}  // namespace
}  // namespace ghostgrad::graph
