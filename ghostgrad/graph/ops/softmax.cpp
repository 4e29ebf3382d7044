// SPDX-License-Identifier: Apache-2.0
// Ops along one dimension that keep the others apart: softmax, scans, sorts, gated halves.
#include <algorithm>

#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

const Registered along =
    transfers<SoftmaxBackward0, LogSoftmaxBackward0, SafeSoftmaxBackward0, CumsumBackward0, CumprodBackward0, LogcumsumexpBackward0,
              CummaxBackward0, CumminBackward0, SortBackward0, SortBackward1, TopkBackward0, GluBackward0>(
        [](const auto& node, Transfer& t) { t.all_but(node.dim); });

const Registered masked_softmax =
    transfers<MaskedSoftmaxBackward0>([](const auto& node, Transfer& t) { t.all_but(node.dim.value_or(-1)); });

/// Softmax backward, differentiated again: edges are its output gradient and its output.
const Registered second_order =
    transfers<SoftmaxBackwardDataBackward0, LogSoftmaxBackwardDataBackward0, GluBackwardBackward0>([](const auto& node, Transfer& t) {
      const auto axis = t.axis();
      if (!axis || axis->dim == from_front(node.dim, t.rank())) return;
      t.keep(0, axis, axis->dim);
      t.keep(1, axis, axis->dim);
    });

/// Each vector along dim is crossed, operands broadcast.
const Registered cross = transfers<LinalgCrossBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (axis && axis->dim != from_front(node.dim, t.rank())) t.elementwise();
});

/// Each slice of dim is scaled to a bounded norm.
const Registered renorm = transfers<RenormBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (axis && axis->dim == from_front(node.dim, t.rank())) t.keep(0, axis, axis->dim);
});

/// v / |v| * g with norms over all dimensions but one.
const Registered weight_norm = transfers<WeightNormInterfaceBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || axis->dim != from_front(node.dim, t.rank())) return;
  t.keep(0, axis, axis->dim);
  t.keep(1, axis, axis->dim);
});

}  // namespace
}  // namespace ghostgrad::graph
