// SPDX-License-Identifier: Apache-2.0
// User code between the nodes of a graph: hooks may do anything to a gradient, so nothing is known of what flows through them.
//
//     if (has_hooks(*node)) ...                     // mixed, or refused
//
// A front end in another language keeps its hooks in containers of its own, which stay behind when the last hook is removed (and come with
// every parameter that was copied or stored). It may teach this room to see that such a container is empty.
#pragma once

#include <torch/csrc/autograd/function_hook.h>

#include "ghostgrad/graph/autograd.h"

namespace ghostgrad::graph {

/// Hooks on a node or on the tensor that it made. Those of Tensor::retain_grad do not count: they lie apart, only it writes them, and they
/// copy the gradient without returning another.
[[nodiscard]] bool has_hooks(Node& node);

/// Hooks on what a node of libtorch saved for its backward: torch.autograd.graph.saved_tensors_hooks, and checkpoints, which run a part of
/// the forward pass again whenever they are asked.
[[nodiscard]] bool has_hooks_on_saved(const NodePtr& node);

/// Which hooks are containers that hold no user code, and what is to be held while hooks are looked at. Called once, before any graph is
/// read.
struct IdleHooks {
  bool (*before)(const torch::autograd::FunctionPreHook& hook) = nullptr;
  bool (*after)(const torch::autograd::FunctionPostHook& hook) = nullptr;
  std::shared_ptr<void> (*lock)() = nullptr;
};
void recognise_idle_hooks(IdleHooks idle);

}  // namespace ghostgrad::graph
