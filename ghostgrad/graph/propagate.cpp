// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/propagate.h"

#include <algorithm>

#include "ghostgrad/graph/hooks.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

/// Gradients whose elements do not lie row-major in a plain tensor.
bool is_plain(const torch::autograd::InputMetadata& metadata) {
  return !metadata.is_tensor_subclass() && !metadata.is_nested_tensor() && metadata.layout() == at::kStrided;
}

/// A net below the rules: a strided layout must fill its shape evenly.
bool fits(const Ownership& ownership, const Shape& shape, int64_t examples) {
  return ownership.kind != Ownership::Kind::strided || count(shape) % (ownership.stride * examples) == 0;
}

class Propagation {
 public:
  explicit Propagation(const Graph& graph) : graph_(graph) {
    owners_.slots.resize(graph.nodes.size());
    for (size_t id = 0; id < graph.nodes.size(); ++id) owners_.slots[id].resize(graph.slots[id].size());
    if (owners_.slots[0].empty()) return;  // no tracked parameter below the losses
    owners_.slots[0][graph.root_slot] = graph.examples == 1 ? Ownership::single(0) : Ownership::strided(1);
  }

  Ownerships run() {
    for (int id : graph_.consumers_first) {
      if (graph_.reaches[id] && !graph_.parameter_only[id]) visit(id);
    }
    return std::move(owners_);
  }

 private:
  void visit(int id) {
    const auto& slots = owners_.slots[id];
    if (std::none_of(slots.begin(), slots.end(), [](const Ownership& slot) { return slot.live(); })) return;
    const bool resolved = settle_slots(id);
    const Node& node = *graph_.nodes[id];
    const int edges = static_cast<int>(node.num_outputs());
    c10::SmallVector<Target, 4> targets(edges);
    c10::SmallVector<const Shape*, 4> shapes(edges, nullptr);
    c10::SmallVector<Ownership, 4> results(edges);
    for (int edge = 0; edge < edges; ++edge) {
      const Target target = graph_.target(id, edge);
      if (!target.defined() || !graph_.reaches[target.node]) continue;
      targets[edge] = target;
      shapes[edge] = &graph_.slots[target.node][target.slot];
      results[edge] = Ownership::mixed();
    }
    const bool known = resolved && carry({graph_.nodes[id], graph_.examples, slots, graph_.slots[id], shapes}, results);
    for (int edge = 0; edge < edges; ++edge) {
      if (!targets[edge].defined()) continue;
      if (!fits(results[edge], *shapes[edge], graph_.examples)) results[edge] = Ownership::mixed();
      if (graph_.parameter_only[targets[edge].node]) continue;  // not entered: what flows there from other parameters is not known
      if (resolved && results[edge].is_mixed()) owners_.stops.push_back({id, edge, known});
      deliver(results[edge], targets[edge], *shapes[edge]);
    }
  }

  void deliver(const Ownership& result, const Target& target, const Shape& shape) {
    Ownership& slot = owners_.slots[target.node][target.slot];
    const Ownership sum = join(slot, result, shape, graph_.examples);
    if (sum.is_mixed() && (slot.resolved() || (slot.is_mixed() && result.resolved()))) owners_.conflicts.push_back(target);
    slot = sum;
  }

  /// One unresolved slot makes all of them so: what lies below would be counted twice otherwise. True if all are resolved.
  bool settle_slots(int id) {
    auto& slots = owners_.slots[id];
    Node& node = *graph_.nodes[id];
    bool resolved = !has_hooks(node);
    for (size_t slot = 0; slot < slots.size(); ++slot) {
      if (slots[slot].live() && (slots[slot].is_mixed() || !is_plain(node.input_metadata(slot)))) resolved = false;
    }
    if (resolved) return true;
    for (Ownership& slot : slots) {
      if (slot.live()) slot = Ownership::mixed();
    }
    return false;
  }

  const Graph& graph_;
  Ownerships owners_;
};

}  // namespace

Ownerships propagate(const Graph& graph) { return Propagation(graph).run(); }

}  // namespace ghostgrad::graph
