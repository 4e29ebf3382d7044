// SPDX-License-Identifier: Apache-2.0
// Losses without reduction: one loss per example or per position. A reduced loss mixes.
#include <ATen/core/Reduction.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

constexpr int64_t unreduced = at::Reduction::None;

const Registered element_losses =
    transfers<MseLossBackward0, SmoothL1LossBackward0, HuberLossBackward0, SoftMarginLossBackward0, BinaryCrossEntropyBackward0,
              BinaryCrossEntropyWithLogitsBackward0, MseLossBackwardBackward0, SmoothL1LossBackwardBackward0, HuberLossBackwardBackward0,
              SoftMarginLossBackwardBackward0, BinaryCrossEntropyBackwardBackward0>([](const auto& node, Transfer& t) {
      if (node.reduction == unreduced) t.elementwise();
    });

/// [N] from scores [N, C].
const Registered row_losses =
    transfers<NllLossBackward0, MultiMarginLossBackward0, MultilabelMarginLossBackward0>([](const auto& node, Transfer& t) {
      if (node.reduction == unreduced && t.rank() == 1 && t.wanted(0) && t.edge_rank() == 2) t.keep(0, t.axis(), 0);
    });

/// [N, H, W] from scores [N, C, H, W].
const Registered pixel_losses = transfers<NllLoss2DBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  if (axis && node.reduction == unreduced) t.keep(0, axis, axis->dim == 0 ? 0 : axis->dim + 1);
});

/// [N] from log-probabilities [T, N, C]; always unreduced.
const Registered ctc = transfers({"CtcLossBackward0", "CtcLossBackward1", "CudnnCtcLossBackward0", "CudnnCtcLossBackward1",
                                  "MiopenCtcLossBackward0", "MiopenCtcLossBackward1"},
                                 [](Transfer& t) {
                                   if (t.rank() == 1 && t.wanted(0) && t.edge_rank() == 3) t.keep(0, t.axis(), 1);
                                 });

}  // namespace
}  // namespace ghostgrad::graph
