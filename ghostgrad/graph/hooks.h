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

/// Which hooks are containers that hold no user code. Called once, before any graph is read.
struct IdleHooks {
  bool (*before)(const torch::autograd::FunctionPreHook& hook) = nullptr;
  bool (*after)(const torch::autograd::FunctionPostHook& hook) = nullptr;
};
void recognise_idle_hooks(IdleHooks idle);

}  // namespace ghostgrad::graph
