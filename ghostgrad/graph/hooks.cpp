// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/hooks.h"

#include <algorithm>

#include <torch/csrc/dynamo/compiled_autograd.h>

namespace ghostgrad::graph {
namespace {

IdleHooks& idle_hooks() {
  static IdleHooks idle;
  return idle;
}

template <class Hooks, class Hook>
bool any_live(const Hooks& hooks, bool (*is_idle)(const Hook&)) {
  return std::any_of(hooks.begin(), hooks.end(), [&](const auto& hook) { return !is_idle || !is_idle(*hook); });
}

}  // namespace

bool has_hooks(Node& node) {
  const IdleHooks& idle = idle_hooks();
  return any_live(node.pre_hooks(), idle.before) || any_live(node.tensor_pre_hooks(), idle.before) ||
         any_live(node.post_hooks(), idle.after);
}

/// By the visitor that libtorch has for compiling a backward: it passes all that a node saved.
bool has_hooks_on_saved(const NodePtr& node) {
  const auto lock = idle_hooks().lock ? idle_hooks().lock() : nullptr;
  torch::dynamo::autograd::AutogradCompilerCall visited(torch::dynamo::autograd::SizeInput::STATIC);
  torch::dynamo::autograd::CompiledNodeArgs visitor(visited, visited.node_calls.lookup(node));
  try {
    node->compiled_args(visitor);
  } catch (const c10::Error&) {  // hooks that are not Python's, or what it cannot pass
    return true;
  }
  return !visited.sv_to_hooks.empty();
}

void recognise_idle_hooks(IdleHooks idle) { idle_hooks() = idle; }

}  // namespace ghostgrad::graph
