// SPDX-License-Identifier: Apache-2.0
// Convolutions [B, C, ..]: examples along the batch stay apart; examples along the channels do where the groups keep them so (a batch of
// modulated convolutions written as one grouped convolution over [1, B*C, ..]).
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

/// Edges: input [B, C, ..], weight [C', C / groups, ..] (transposed: [C, C' / groups, ..]), bias [C'].
const Registered convolutions =
    transfers<ConvolutionBackward0, ConvolutionBackward1, ConvolutionOverrideableBackward0>([](const auto& node, Transfer& t) {
      const auto axis = t.axis();
      if (!axis || axis->dim > 1) return;
      if (axis->dim == 0) return t.keep(0, axis, 0);
      const int64_t groups = as_int(node.groups);
      const std::vector<int32_t> outputs = t.owners(*axis);
      if (t.wanted(0)) t.set(0, 1, through_groups(outputs, groups, t.edge_shape(0)[1]));
      if (!node.transposed) t.keep(1, axis, 0);
      if (node.transposed && t.wanted(1)) t.set(1, 0, through_groups(outputs, groups, t.edge_shape(1)[0]));
      t.keep(2, axis, 0);
    });

const Registered by_backend =
    transfers({"SlowConv2DBackward0", "SlowConv3DBackward0", "SlowConvDilated2DBackward0", "SlowConvDilated3DBackward0",
               "SlowConvTranspose2DBackward0", "SlowConvTranspose3DBackward0", "ConvDepthwise2DBackward0", "ConvDepthwise3DBackward0",
               "CudnnConvolutionBackward0", "CudnnConvolutionTransposeBackward0", "MkldnnConvolutionBackward0",
               "MiopenConvolutionBackward0", "MiopenConvolutionTransposeBackward0", "MiopenDepthwiseConvolutionBackward0",
               "MpsConvolutionBackward0", "MpsConvolutionTransposeBackward0", "NnpackSpatialConvolutionBackward0"},
              [](Transfer& t) { t.leading(1); });

/// The input's gradient, differentiated again: edges are the output gradient, the input and the weight.
const Registered second_order = transfers({"ConvolutionBackwardBackward0"}, [](Transfer& t) { t.leading(1, {0, 1}); });

/// [T, B, C]
const Registered time_batch_channel = transfers({"ConvTbcBackward0"}, [](Transfer& t) {
  const auto axis = t.axis();
  if (axis && axis->dim == 1) t.keep(0, axis, 1);
});

/// Patches: [B, C, H, W] <-> [B, C * k * k, L], both with a batch.
const Registered unfold = transfers({"Im2ColBackward0"}, [](Transfer& t) {
  if (t.rank() == 3) t.leading(1);
});
const Registered fold = transfers({"Col2ImBackward0"}, [](Transfer& t) {
  if (t.rank() == 4) t.leading(1);
});

}  // namespace
}  // namespace ghostgrad::graph
