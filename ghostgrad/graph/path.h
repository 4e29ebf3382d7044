// SPDX-License-Identifier: Apache-2.0
// The path between a call and one parameter: a chain of ops that only move, cut out or repeat elements (transpose, view, slice, split,
// cast, expand). A per-example gradient is pulled back through it for all examples at once.
//
//     grads [B, *shape at the call]  ->  [B, *shape of the parameter]
//
// A path that only moves and cuts out shows some elements of the parameter, each once: its layout tells which.
//
// Guarantee: pull_back is the transposed Jacobian of the chain, applied to each example; an `isometric` path leaves norms as they are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/graph/layout.h"

namespace ghostgrad::graph {

struct Path {
  std::vector<Target> steps;  // nodes from the call to the parameter, each with the slot through which it is entered
  int leaf = -1;              // the AccumulateGrad node
  int parameter = -1;
  bool isometric = true;
  std::optional<Layout> layout;  // the elements of the parameter that the call sees; nothing where no strides tell
};

/// The path from a zone's entry to its only parameter; nothing when the zone is anything but such a chain.
[[nodiscard]] std::optional<Path> trace_path(const Graph& graph, const Target& entry);

/// grads [B, *entry shape] -> [B, *parameter shape]
[[nodiscard]] at::Tensor pull_back(const Graph& graph, const Path& path, at::Tensor grads);

/// Gradients of what a layout shows, [B, *sizes] or as many elements in that order, within zeros of the whole: [B, *shape].
[[nodiscard]] at::Tensor placed(const at::Tensor& grads, const Layout& layout, const Shape& shape);

}  // namespace ghostgrad::graph
