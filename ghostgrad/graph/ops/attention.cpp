// SPDX-License-Identifier: Apache-2.0
// Fused attention: examples along the batch or the heads stay apart; along positions they would attend to one another.
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

/// The example axis (batch or heads) goes on in query, key, value and in a bias that is not broadcast along it. Grouped-query attention
/// has fewer key heads than query heads: then heads prove nothing.
void attend(Transfer& t, int batch, int heads) {
  const auto axis = t.axis();
  if (!axis || t.rank() != 4 || (axis->dim != batch && axis->dim != heads)) return;
  for (int edge = 0; edge < 3; ++edge) {
    if (t.wanted(edge) && (t.edge_rank(edge) != 4 || t.edge_shape(edge)[axis->dim] != axis->size)) return;
  }
  for (int edge = 0; edge < 3; ++edge) t.keep(edge, axis, axis->dim);
  if (batch == 0 && heads == 1 && t.wanted(3) && t.edge_rank(3) == 4) t.keep(3, axis, axis->dim);
}

/// [B, H, T, d]
const Registered scaled_dot_product = transfers({"ScaledDotProductFlashAttentionForCpuBackward0", "ScaledDotProductFlashAttentionBackward0",
                                                 "ScaledDotProductEfficientAttentionBackward0", "ScaledDotProductCudnnAttentionBackward0",
                                                 "ScaledDotProductFusedAttentionOverrideableBackward0"},
                                                [](Transfer& t) { attend(t, 0, 1); });

/// [B, T, H, d]; with cumulative sequence lengths the rows are packed, and only the heads stay apart.
const Registered flash = transfers<FlashAttentionBackward0, CudnnAttentionBackward0>([](const auto& node, Transfer& t) {
  const bool packed = node.cum_seq_q_.unpack(t.node()).defined();
  if (!packed) attend(t, 0, 2);
});
const Registered efficient = transfers<EfficientAttentionBackward0>([](const auto& node, Transfer& t) {
  const bool packed = node.cu_seqlens_q_.unpack(t.node()).defined();
  if (!packed) attend(t, 0, 2);
});

}  // namespace
}  // namespace ghostgrad::graph
