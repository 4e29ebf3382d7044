// SPDX-License-Identifier: Apache-2.0
// What lies below one edge of a call, and whether the graph proves that it comes from parameters and constants alone.
#pragma once

#include <vector>

#include "ghostgrad/graph/cut.h"

namespace ghostgrad::graph {

/// Explores the zone and appends what speaks against it. A zone without findings is *clean*.
[[nodiscard]] Zone explore_zone(const Graph& graph, const Ownerships& owners, const Target& entry, std::vector<Finding>& findings);

/// Ops that are never allowed, wherever they stand: batch norm in training mode (unless each channel belongs to one example), reentrant
/// checkpoints, embeddings scaled by frequency.
[[nodiscard]] std::optional<Finding> forbidden(const Graph& graph, const Ownerships& owners, int node);

}  // namespace ghostgrad::graph
