// SPDX-License-Identifier: Apache-2.0
// Ops whose result depends on their differentiable operands and their saved attributes alone: what a parameter-only zone may be built from.
#pragma once

#include "ghostgrad/graph/autograd.h"

namespace ghostgrad::graph {

/// True for known native ops that compute from their operands alone. Expand and repeat are left out on purpose: they are where a
/// parameter meets the example axis (a class token), so ownership goes on into them.
[[nodiscard]] bool is_pure(const Node& node);

}  // namespace ghostgrad::graph
