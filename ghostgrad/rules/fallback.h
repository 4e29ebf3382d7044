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

/// The owners of every gradient at the node's slots, on its device; undefined where none flows.
[[nodiscard]] std::vector<at::Tensor> owners_of(const CallSite& call);

/// What the node itself gives for these edges, each dense and in the shape of the value there.
[[nodiscard]] std::vector<at::Tensor> run_node(const CallSite& call, graph::variable_list grads, const std::vector<int>& edges);

[[nodiscard]] Terms fallback(const CallSite& call, const std::vector<int>& edges);

}  // namespace ghostgrad::rules
