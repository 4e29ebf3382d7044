// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/hooks.h"

#include <algorithm>

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

void recognise_idle_hooks(IdleHooks idle) { idle_hooks() = idle; }

}  // namespace ghostgrad::graph
