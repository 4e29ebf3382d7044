// SPDX-License-Identifier: Apache-2.0
// Views that keep elements in their row-major order. Ownership is kept per flat element, so they change nothing, also where the example
// axis is split over two dimensions and merged again.
#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

const Registered views = transfers(
    {"ViewBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0", "ReshapeCopyBackward0", "UnsqueezeBackward0", "UnsqueezeBackward1",
     "SqueezeBackward0", "SqueezeBackward1", "SqueezeBackward2", "SqueezeBackward3", "SqueezeBackward4", "SqueezeBackward5"},
    [](Transfer& t) { t.same_order(); });

/// One side has a last dimension of (real, imaginary) that the other lacks.
const Registered as_real = transfers({"ViewAsRealBackward0"}, [](Transfer& t) { t.leading(t.rank() - 1); });
const Registered as_complex = transfers({"ViewAsComplexBackward0"}, [](Transfer& t) { t.leading(t.rank()); });

}  // namespace
}  // namespace ghostgrad::graph
