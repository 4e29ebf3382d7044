// SPDX-License-Identifier: Apache-2.0
// Running libtorch's engine for chosen gradients only: the weight gradients of ordinary training are never computed.
//
//     auto grads = capture(losses, root, {{call, 0}, ...}, graph);     // the calls' output gradients
//     auto back = pull_back_by_engine(graph, zone_entry, grad, leaves) // one gradient through a parameter-only zone
//
// Nothing is accumulated into .grad; hooks of nodes that are run are run; the graph stays usable.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/graph/walk.h"

namespace ghostgrad::graph {

/// Gradients of sum(root * losses) at the given slots, in that order; undefined where none flows. root [B]
[[nodiscard]] std::vector<at::Tensor> capture(const at::Tensor& losses, const at::Tensor& root, const std::vector<Target>& where,
                                              const Graph& graph);

/// Sends one gradient into a slot and collects what arrives at the leaves (AccumulateGrad nodes, by id); undefined where nothing does.
[[nodiscard]] std::vector<at::Tensor> pull_back_by_engine(const Graph& graph, const Target& entry, const at::Tensor& grad,
                                                          const std::vector<int>& leaves);

/// Gradients of sum(root * losses) with respect to the leaves of the tracked parameters, as ordinary training would compute them.
[[nodiscard]] std::vector<at::Tensor> gradients(const at::Tensor& losses, const at::Tensor& root,
                                                const std::vector<at::Tensor>& parameters);

}  // namespace ghostgrad::graph
