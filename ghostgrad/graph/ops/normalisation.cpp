// SPDX-License-Identifier: Apache-2.0
// Normalisation keeps apart what its statistics keep apart. Batch norm in training mode mixes examples, unless they lie along the channels:
// then it is instance norm, NativeBatchNorm over [1, B*C, ..].
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

const Registered layer_norms = transfers<NativeLayerNormBackward0, FusedRmsNormBackward0>(
    [](const auto& node, Transfer& t) { t.leading(t.rank() - static_cast<int>(node.normalized_shape.size())); });

const Registered group_norm = transfers<NativeGroupNormBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (!axis || axis->dim > 1) return;
  if (axis->dim == 0) return t.keep(0, axis, 0);
  if (t.wanted(0)) t.set(0, 1, through_groups(t.owners(*axis), node.group, t.edge_shape(0)[1]));  // statistics reach all of a group
  t.keep(1, axis, 0);
  t.keep(2, axis, 0);
});

/// Edges: input [N, C, ..], weight [C], bias [C].
void batch_norm(Transfer& t, bool statistics_of_batch) {
  const auto axis = t.axis();
  if (!axis) return;
  if (axis->dim == 1 || !statistics_of_batch) t.keep(0, axis, axis->dim);
  if (axis->dim != 1) return;
  t.keep(1, axis, 0);
  t.keep(2, axis, 0);
}

const Registered batch_norms =
    transfers<NativeBatchNormBackward0, NativeBatchNormLegitBackward0, NativeBatchNormLegitBackward1, CudnnBatchNormBackward0,
              MiopenBatchNormBackward0>([](const auto& node, Transfer& t) { batch_norm(t, node.training); });

const Registered evaluated = transfers({"NativeBatchNormLegitNoTrainingBackward0"}, [](Transfer& t) { batch_norm(t, false); });
const Registered updated =
    transfers({"BatchNormWithUpdateBackward0", "BatchNormNoUpdateBackward0"}, [](Transfer& t) { batch_norm(t, true); });

}  // namespace
}  // namespace ghostgrad::graph
