// SPDX-License-Identifier: Apache-2.0
// The universal fallback: mask the output gradient to one example and let the node itself give that example's gradient.
//
//     G_i = node(select(owner == i, g, 0))[edge]
//
// Exact for every differentiable op there will ever be (custom Functions, fused kernels, compiled regions); costs B calls of the node.
// A node works on the whole batch, so a NaN of one example can reach the gradients of all others: such terms say so (isolates_examples).
#pragma once

#include <vector>

#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {

[[nodiscard]] Terms fallback(const CallSite& call, const std::vector<int>& edges);

}  // namespace ghostgrad::rules
