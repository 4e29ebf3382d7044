// SPDX-License-Identifier: Apache-2.0
// Reductions over dimensions that are not the examples'.
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

const Registered reductions =
    transfers<SumBackward1, NansumBackward0, MeanBackward1, VarBackward0, StdBackward0, AmaxBackward0, AminBackward0, NormBackward1,
              NormBackward3, LinalgVectorNormBackward0, LogsumexpBackward0, ProdBackward1>(
        [](const auto& node, Transfer& t) { t.reduced(as_ints(node.dim), node.keepdim); });

/// Slot 0 is the value; the indices carry no gradient.
const Registered selections = transfers<MaxBackward0, MinBackward0, MedianBackward1, NanmedianBackward1, ModeBackward0, KthvalueBackward0>(
    [](const auto& node, Transfer& t) { t.reduced(as_ints(node.dim), node.keepdim); });

/// Two results of one reduction (variance and mean, minimum and maximum).
const Registered pairs = transfers<VarMeanBackward0, StdMeanBackward0, AminmaxBackward0>(
    [](const auto& node, Transfer& t) {
      if (!t.wanted(0)) return;
      Ownership both = Ownership::none();
      for (int slot = 0; slot < t.slots(); ++slot) {
        if (!t.live(slot)) continue;
        t.set(0, Ownership::mixed());
        t.reduced(as_ints(node.dim), node.keepdim, slot);
        both = join(both, t.result(0), t.edge_shape(), t.examples());
      }
      t.set(0, both);
    },
    {.every_slot = true, .single = false});

}  // namespace
}  // namespace ghostgrad::graph
