// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/zone.h"

#include <algorithm>
#include <unordered_set>

#include <ATen/ops/arange.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/pure.h"

namespace ghostgrad::graph {
namespace {

namespace generated = torch::autograd::generated;
using Verdict = Finding::Verdict;

const char* const kCheckRemedy = "run check_independence(loss_fn, batch) once for this model";

Finding unproved(const Graph& graph, int node, std::string wrong) {
  return {Verdict::unproved, graph.describe(node), std::move(wrong), kCheckRemedy};
}

bool is_matmul(const Node& node) {
  const auto& type = typeid(node);
  return type == typeid(generated::MmBackward0) || type == typeid(generated::AddmmBackward0) || type == typeid(generated::BmmBackward0) ||
         type == typeid(generated::MvBackward0) || type == typeid(generated::DotBackward0);
}

bool is_number(const at::Tensor& operand) { return operand.defined() && operand.unsafeGetTensorImpl()->is_wrapped_number(); }

/// A product with, or a quotient by, a Python or C++ number is visible as such.
bool scales_by_number(const NodePtr& node) {
  if (auto* mul = dynamic_cast<generated::MulBackward0*>(node.get())) {
    return is_number(mul->self_.unpack(node)) || is_number(mul->other_.unpack(node));
  }
  if (auto* div = dynamic_cast<generated::DivBackward0*>(node.get())) return is_number(div->other_.unpack(node));
  return false;
}

/// Position ids: every row reads 0, 1, 2, ... (from any start).
bool looks_up_positions(generated::EmbeddingBackward0& node, const NodePtr& self) {
  const at::Tensor indices = node.indices_.unpack(self);
  if (indices.numel() == 0) return true;
  const at::Tensor rows = indices.reshape({-1, indices.dim() ? indices.size(-1) : 1});
  return rows.eq(rows[0][0] + at::arange(rows.size(1), rows.options())).all().item<bool>();
}

bool has_untracked_operand(const Graph& graph, int node) {
  for (int edge = 0; edge < graph.edges(node); ++edge) {
    const Target below = graph.target(node, edge);
    if (!below.defined() || !graph.reaches[below.node]) return true;
  }
  return false;
}

/// One node of a zone: does the graph show all that goes into it?
std::optional<Finding> doubt(const Graph& graph, int id) {
  const NodePtr& node = graph.nodes[id];
  if (auto* embedding = dynamic_cast<generated::EmbeddingBackward0*>(node.get())) {
    if (looks_up_positions(*embedding, node)) return std::nullopt;
    return unproved(graph, id, "looks rows up by indices that may depend on the batch, below which only parameters may lie");
  }
  if (!is_pure(*node)) return unproved(graph, id, "lies between parameters and their use, and its operands are not all visible");
  if (!has_untracked_operand(graph, id) || scales_by_number(node)) return std::nullopt;
  return unproved(graph, id,
                  is_matmul(*node) ? "multiplies parameters with an operand that is not a tracked parameter"
                                   : "combines parameters with an operand that is not a tracked parameter");
}

bool writes_statistics(generated::NativeBatchNormBackward0& norm, const NodePtr& self) {
  return norm.training && norm.running_mean_.unpack(self).defined();
}

/// Batch norm in training mode, unless what it normalises belongs to one example: instance norm is batch norm over [1, B*C, ...].
std::optional<Finding> batch_norm(const Graph& graph, const Ownerships& owners, int node) {
  auto* native = dynamic_cast<generated::NativeBatchNormBackward0*>(graph.nodes[node].get());
  if (native && !native->training) return std::nullopt;
  bool apart = false;
  if (native && !graph.slots[node].empty()) {
    const Ownership& owner = owners.slots[node][0];
    const auto axis = axis_of(owner, graph.slots[node][0], graph.examples);
    apart = (axis && axis->dim == 1) || owner.kind == Ownership::Kind::single;
  }
  if (apart && !writes_statistics(*native, graph.nodes[node])) return std::nullopt;
  if (apart && graph.examples > 1) {
    return Finding{Verdict::refused, graph.describe(node),
                   "writes running statistics of private examples into the model's buffers, which no noise protects",
                   "use track_running_stats=False, or put the layer into eval mode"};
  }
  return Finding{Verdict::refused, graph.describe(node), "normalises over the batch: batch norm in training mode mixes examples",
                 "use GroupNorm, LayerNorm or InstanceNorm, or put the layer into eval mode"};
}

/// Layer norm whose normalised dimensions hold the example axis, whatever lies below it.
std::optional<Finding> layer_norm(const Graph& graph, const Ownerships& owners, int node) {
  const auto* norm = dynamic_cast<const generated::NativeLayerNormBackward0*>(graph.nodes[node].get());
  if (!norm || graph.slots[node].empty()) return std::nullopt;
  const auto axis = axis_of(owners.slots[node][0], graph.slots[node][0], graph.examples);
  const auto kept = static_cast<int>(graph.slots[node][0].size() - norm->normalized_shape.size());
  if (!axis || axis->dim < kept) return std::nullopt;
  return Finding{Verdict::refused, graph.describe(node), "normalises over the example axis and so mixes examples",
                 "normalise over the dimensions behind the examples"};
}

template <class Lookup>
bool scales_by_frequency(const Node& node) {
  const auto* lookup = dynamic_cast<const Lookup*>(&node);
  return lookup && lookup->scale_grad_by_freq;
}

}  // namespace

std::optional<Finding> forbidden(const Graph& graph, const Ownerships& owners, int node) {
  if (auto finding = layer_norm(graph, owners, node)) return finding;
  const std::string name = short_name(*graph.nodes[node]);
  if (name.find("BatchNorm") != std::string::npos) return batch_norm(graph, owners, node);
  if (name.find("CheckpointFunctionBackward") != std::string::npos) {
    return Finding{Verdict::refused, graph.describe(node), "is a reentrant checkpoint, which hides the graph inside it",
                   "use checkpoint(..., use_reentrant=False)"};
  }
  if (scales_by_frequency<generated::EmbeddingBackward0>(*graph.nodes[node]) ||
      scales_by_frequency<generated::EmbeddingBagBackward0>(*graph.nodes[node])) {
    return Finding{Verdict::refused, graph.describe(node), "scales gradients by how often a row occurs in the batch, which mixes examples",
                   "set scale_grad_by_freq=False"};
  }
  return std::nullopt;
}

Zone explore_zone(const Graph& graph, const Ownerships& owners, const Target& entry, std::vector<Finding>& findings) {
  Zone zone;
  zone.entry = entry;
  std::unordered_set<int> seen;
  std::vector<int> open{entry.node};
  while (!open.empty()) {
    const int id = open.back();
    open.pop_back();
    if (!seen.insert(id).second) continue;
    if (graph.parameter[id] >= 0) {
      zone.leaves.push_back(id);
      continue;
    }
    if (auto finding = doubt(graph, id)) findings.push_back(std::move(*finding));
    for (int edge = 0; edge < graph.edges(id); ++edge) {
      const Target below = graph.target(id, edge);
      if (!below.defined() || !graph.reaches[below.node]) continue;
      if (graph.parameter[below.node] < 0 && !graph.parameter_only[below.node] && owners.slots[below.node][below.slot].resolved()) {
        findings.push_back({Verdict::refused, graph.describe(below.node), "is reached both example by example and by a mixture of examples",
                            "remove the op that combines examples above it"});
      }
      open.push_back(below.node);
    }
  }
  std::sort(zone.leaves.begin(), zone.leaves.end());
  zone.path = trace_path(graph, entry);
  return zone;
}

}  // namespace ghostgrad::graph
