// SPDX-License-Identifier: Apache-2.0
// Reads the autograd graph of the per-example losses, once a step: every node, and which of them matter for the tracked parameters.
//
//     losses [B]  <- node 0 <- ... <- AccumulateGrad of parameter p
//
// A node's *slots* are the gradients that flow into it (one per output of the forward op); its *edges* lead on to slots of other nodes.
//
//     const Graph graph = walk(losses, parameters);
//     for (int id : graph.consumers_first) ...
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/util/SmallVector.h>

#include "ghostgrad/graph/autograd.h"

namespace ghostgrad::graph {

using Shape = c10::SmallVector<int64_t, 5>;

/// Where an edge leads, in ids of the graph.
struct Target {
  int node = -1;  // -1: the edge is undefined
  int slot = 0;
  [[nodiscard]] bool defined() const { return node >= 0; }
};

/// One reading of one backward graph. Ids follow a depth-first order that depends on the graph alone.
struct Graph {
  int64_t examples = 0;  // B
  std::vector<NodePtr> nodes;
  std::unordered_map<const Node*, int> ids;
  std::vector<int> parameter;  // [node] index of the tracked parameter that this AccumulateGrad belongs to, else -1
  std::vector<char> reaches;   // [node] a tracked parameter lies at or below it
  /// [node] its value is computed from tracked parameters alone, by ops on the list of known pure ops. Never so for the losses.
  std::vector<char> parameter_only;
  std::vector<int> consumers_first;       // topological order: a node comes after all that send gradients to it
  std::vector<std::vector<Shape>> slots;  // [node][slot] shapes, for nodes that reach a tracked parameter
  int root_slot = 0;                      // the slot of node 0 that the losses are

  [[nodiscard]] Target target(int node, int edge) const;
  [[nodiscard]] int edges(int node) const;
  /// "AddmmBackward0 [64, 10]": the op and the shape of its first slot, for messages.
  [[nodiscard]] std::string describe(int node) const;
};

/// Walks from losses.grad_fn() down. Iterative: depth is no limit.
/// Errors: InvalidArgument when losses are not 1-D, not floating point, or have no graph.
[[nodiscard]] Graph walk(const at::Tensor& losses, const std::vector<at::Tensor>& parameters);

/// "[64, 10]"
[[nodiscard]] std::string to_string(const Shape& shape);

}  // namespace ghostgrad::graph
