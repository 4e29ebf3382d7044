// SPDX-License-Identifier: Apache-2.0
// Ownership of every gradient in the graph, derived afresh at every step from what autograd saved about each op.
//
// Abstract interpretation of the backward pass, consumers first, from losses (dim 0 is the example axis) toward the parameters.
// No gradient is computed and no data value is read, save the integer indices of routing ops.
//
//     const Ownerships owners = propagate(graph);
//     owners.slots[node][slot].resolved();
//
// Guarantee: a resolved slot really has those owners, for all values of the data. What is not known is mixed: sound, only slower.
#pragma once

#include <vector>

#include "ghostgrad/graph/ownership.h"
#include "ghostgrad/graph/walk.h"

namespace ghostgrad::graph {

struct Ownerships {
  std::vector<std::vector<Ownership>> slots;  // [node][slot]; none for parameter-only nodes, which are not entered
  /// Where ownership was lost: a resolved node's edge became mixed although its target is not parameter-only.
  struct Stop {
    int node;
    int edge;
    bool known;  // a rule for this op exists (so the op itself mixes), or the op is unknown
  };
  std::vector<Stop> stops;
  /// Slots where a resolved gradient met a mixed one, or two that contradict each other: the sum is mixed.
  std::vector<Target> conflicts;
};

[[nodiscard]] Ownerships propagate(const Graph& graph);

}  // namespace ghostgrad::graph
