// SPDX-License-Identifier: Apache-2.0
// The cut through the graph at which every gradient element belongs to one example: the calls, the zones below them, and what can be said
// against them.
//
//     grad(loss_i) = sum over calls of VJP_below(mask_i * g)          exact for any ops below the cut
//
// A *call* is a node whose live slots are all resolved, with an edge into a *zone*: parameters, or a chain or graph of ops over them.
// What lies in a zone should come from parameters alone; what the graph cannot prove about that is a finding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ghostgrad/graph/path.h"
#include "ghostgrad/graph/propagate.h"
#include "ghostgrad/graph/walk.h"

namespace ghostgrad::graph {

/// What lies below one edge of a call.
struct Zone {
  int edge = 0;  // of the call
  Target entry;
  std::vector<int> leaves;   // AccumulateGrad nodes of tracked parameters, by id, ascending
  std::optional<Path> path;  // when it is a single chain
};

struct Call {
  int node = 0;
  std::vector<Zone> zones;
};

/// Something that speaks against independence of the examples.
struct Finding {
  enum class Verdict {
    refused,  // examples are mixed, or the gradient could not be formed exactly: no setting allows it
    unproved  // the graph cannot tell: the independence check has to
  };
  Verdict verdict = Verdict::unproved;
  std::string op;  // "SoftmaxBackward0 [64, 10]"
  std::string wrong;
  std::string remedy;
};

struct Cut {
  std::vector<Call> calls;
  std::vector<Finding> findings;
  std::vector<int> unreached;  // tracked parameters that the losses do not depend on
  uint64_t structure = 0;      // hash of op names and edges; not of sizes
  uint64_t signature = 0;      // the same with the layouts on the cut, for B > 1
  bool routed = false;         // a call's rows are routed by index
};

[[nodiscard]] Cut find_cut(const Graph& graph, const Ownerships& owners, size_t parameters);

}  // namespace ghostgrad::graph
