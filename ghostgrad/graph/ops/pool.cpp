// SPDX-License-Identifier: Apache-2.0
// Pooling, upsampling, padding by mirroring, sampling on grids: all before the spatial dimensions stays apart.
#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

TransferFunction all_before_last(int spatial) {
  return [spatial](Transfer& t) { t.leading(t.rank() - spatial); };
}

const Registered lines =
    transfers({"AdaptiveAvgPool1DBackward0", "AvgPool1DBackward0", "UpsampleLinear1DBackward0", "UpsampleNearest1DBackward0",
               "UpsampleNearestExact1DBackward0", "ReflectionPad1DBackward0", "ReplicationPad1DBackward0"},
              all_before_last(1));

const Registered planes =
    transfers({"MaxPool2DBackward0", "MaxPool2DWithIndicesBackward0", "MkldnnMaxPool2DBackward0", "AvgPool2DBackward0",
               "AdaptiveAvgPool2DBackward0", "MkldnnAdaptiveAvgPool2DBackward0", "AdaptiveMaxPool2DBackward0",
               "FractionalMaxPool2DBackward0", "MaxUnpool2DBackward0", "UpsampleBilinear2DBackward0", "UpsampleBilinear2DAaBackward0",
               "UpsampleBicubic2DBackward0", "UpsampleBicubic2DAaBackward0", "UpsampleLanczos2DAaBackward0", "UpsampleNearest2DBackward0",
               "UpsampleNearestExact2DBackward0", "ReflectionPad2DBackward0", "ReplicationPad2DBackward0"},
              all_before_last(2));

const Registered volumes =
    transfers({"MaxPool3DWithIndicesBackward0", "MkldnnMaxPool3DBackward0", "AvgPool3DBackward0", "AdaptiveAvgPool3DBackward0",
               "AdaptiveMaxPool3DBackward0", "FractionalMaxPool3DBackward0", "MaxUnpool3DBackward0", "UpsampleTrilinear3DBackward0",
               "UpsampleNearest3DBackward0", "UpsampleNearestExact3DBackward0", "ReflectionPad3DBackward0", "ReplicationPad3DBackward0"},
              all_before_last(3));

/// Channels go into space and back.
const Registered shuffles = transfers({"PixelShuffleBackward0", "PixelUnshuffleBackward0"}, all_before_last(3));
const Registered channel_shuffle = transfers({"ChannelShuffleBackward0"}, [](Transfer& t) { t.leading(1); });

/// Each image has its own grid [B, .., 2 or 3].
const Registered grids =
    transfers({"GridSampler2DBackward0", "GridSampler3DBackward0", "GridSampler2DCpuFallbackBackward0", "CudnnGridSamplerBackward0"},
              [](Transfer& t) {
                t.leading(1, {0, 1});
              });
const Registered affine_grids =
    transfers({"AffineGridGeneratorBackward0", "CudnnAffineGridGeneratorBackward0"}, [](Transfer& t) { t.leading(1); });

}  // namespace
}  // namespace ghostgrad::graph
