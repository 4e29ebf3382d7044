// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/cut.h"

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "ghostgrad/graph/hooks.h"
#include "ghostgrad/graph/zone.h"

namespace ghostgrad::graph {
namespace {

using Verdict = Finding::Verdict;
enum class Status { dead, resolved, mixed };

Status status_of(const std::vector<Ownership>& slots) {
  Status status = Status::dead;
  for (const auto& slot : slots) {
    if (slot.is_mixed()) return Status::mixed;
    if (slot.resolved()) status = Status::resolved;
  }
  return status;
}

/// An edge that leads out of the example-resolved part of the graph.
bool enters_zone(const Graph& graph, const Ownerships& owners, const Target& below) {
  if (!below.defined() || !graph.reaches[below.node]) return false;
  return graph.parameter_only[below.node] || owners.slots[below.node][below.slot].is_mixed() ||
         status_of(owners.slots[below.node]) == Status::mixed;
}

/// Ops that normalise, scan or reorder along a dimension: over the example axis they mix examples for any operand but a parameter.
bool couples_along_a_dimension(const std::string& name) {
  static const std::unordered_set<std::string> names = {
      "SoftmaxBackward0",         "LogSoftmaxBackward0",      "SafeSoftmaxBackward0", "CumsumBackward0",
      "CumprodBackward0",         "LogcumsumexpBackward0",    "SortBackward0",        "TopkBackward0",
      "NativeLayerNormBackward0", "NativeGroupNormBackward0", "FusedRmsNormBackward0"};
  return names.count(name) > 0;
}

/// A call op that treats rows independently as far as libtorch defines it; anything else may do what it likes with its operands.
bool is_row_wise(const Node& node) {
  static const std::unordered_set<std::string> names = {"AddmmBackward0",
                                                        "MmBackward0",
                                                        "BmmBackward0",
                                                        "BaddbmmBackward0",
                                                        "MvBackward0",
                                                        "GroupedMmBackward0",
                                                        "ConvolutionBackward0",
                                                        "EmbeddingBackward0",
                                                        "EmbeddingBagBackward0",
                                                        "NativeLayerNormBackward0",
                                                        "NativeGroupNormBackward0",
                                                        "NativeBatchNormBackward0",
                                                        "FusedRmsNormBackward0",
                                                        "MulBackward0",
                                                        "AddBackward0",
                                                        "SubBackward0",
                                                        "DivBackward0",
                                                        "RsubBackward1",
                                                        "ExpandBackward0",
                                                        "RepeatBackward0",
                                                        "CatBackward0",
                                                        "StackBackward0",
                                                        "IndexBackward0",
                                                        "IndexSelectBackward0",
                                                        "WhereBackward0",
                                                        "ToCopyBackward0",
                                                        "TBackward0",
                                                        "ViewBackward0",
                                                        "UnsafeViewBackward0",
                                                        "ReshapeAliasBackward0",
                                                        "TransposeBackward0",
                                                        "PermuteBackward0",
                                                        "CloneBackward0",
                                                        "PreluKernelBackward0",
                                                        "SliceBackward0",
                                                        "SelectBackward0",
                                                        "UnsqueezeBackward0",
                                                        "MkldnnRnnLayerBackward0",
                                                        "CudnnRnnBackward0",
                                                        "MaximumBackward0",
                                                        "MinimumBackward0",
                                                        "PowBackward1",
                                                        "AddcmulBackward0",
                                                        "LerpBackward1",
                                                        "ScaledDotProductFlashAttentionForCpuBackward0",
                                                        "AddBackward1",
                                                        "MulBackward1"};
  return is_native(node) && names.count(short_name(node)) > 0;
}

class CutFinder {
 public:
  CutFinder(const Graph& graph, const Ownerships& owners) : graph_(graph), owners_(owners) {}

  Cut run(size_t parameters) {
    find_unreached(parameters);
    judge_root();
    find_forbidden();
    find_conflicts();
    for (int id = 0; id < static_cast<int>(graph_.nodes.size()); ++id) {
      if (graph_.reaches[id] && !graph_.parameter_only[id] && status_of(owners_.slots[id]) == Status::resolved) consider(id);
    }
    sign();
    return std::move(cut_);
  }

 private:
  void find_unreached(size_t parameters) {
    std::vector<char> reached(parameters, 0);
    for (int parameter : graph_.parameter) {
      if (parameter >= 0) reached[parameter] = 1;
    }
    for (size_t i = 0; i < parameters; ++i) {
      if (!reached[i]) cut_.unreached.push_back(static_cast<int>(i));
    }
  }

  /// Nothing below losses of which nobody knows whose they are could be told apart, and no call would be found.
  void judge_root() {
    if (!graph_.reaches[0] || status_of(owners_.slots[0]) == Status::resolved) return;
    cut_.findings.push_back({Verdict::refused, graph_.describe(0),
                             "makes losses that are no plain tensor, so that their layout is not known",
                             "compute the losses as an ordinary dense tensor [B], without hooks"});
  }

  void find_forbidden() {
    for (int id = 0; id < static_cast<int>(graph_.nodes.size()); ++id) {
      if (auto finding = forbidden(graph_, owners_, id)) cut_.findings.push_back(std::move(*finding));
      if (!graph_.reaches[id] || !has_hooks(*graph_.nodes[id])) continue;
      const bool leaf = graph_.parameter[id] >= 0;
      cut_.findings.push_back(
          {Verdict::refused, leaf ? "a tracked parameter" : graph_.describe(id),
           leaf ? "has gradient hooks, which per-example gradients would not pass" : "has gradient hooks, which may mix examples",
           "remove the hooks (change the released gradients in .grad instead)"});
    }
  }

  /// A node reached both by resolved and by mixed gradients, where no unknown op is to blame, sees a mixture of examples.
  void find_conflicts() {
    const auto clouded = below_unknown_ops();
    for (const Target& at : owners_.conflicts) {
      if (graph_.parameter_only[at.node] || clouded.count(at.node)) continue;
      cut_.findings.push_back({Verdict::refused, graph_.describe(at.node),
                               "feeds the losses of several examples at once: the batch is mixed above it",
                               "remove the op that combines examples (a mean or norm over the batch, a product of the batch with itself)"});
    }
  }

  [[nodiscard]] std::unordered_set<int> below_unknown_ops() const {
    std::unordered_set<int> seen;
    std::vector<int> open;
    for (const auto& stop : owners_.stops) {
      if (!stop.known) open.push_back(graph_.target(stop.node, stop.edge).node);
    }
    while (!open.empty()) {
      const int id = open.back();
      open.pop_back();
      if (!seen.insert(id).second) continue;
      for (int edge = 0; edge < graph_.edges(id); ++edge) {
        const Target below = graph_.target(id, edge);
        if (below.defined() && graph_.reaches[below.node]) open.push_back(below.node);
      }
    }
    return seen;
  }

  void consider(int id) {
    Call call{id, {}};
    const size_t before = cut_.findings.size();
    for (int edge = 0; edge < graph_.edges(id); ++edge) {
      const Target below = graph_.target(id, edge);
      if (!enters_zone(graph_, owners_, below)) continue;
      call.zones.push_back(explore_zone(graph_, owners_, below, cut_.findings));
      call.zones.back().edge = edge;
    }
    if (call.zones.empty()) return;
    judge(call, before);
    cut_.calls.push_back(std::move(call));
  }

  /// What is said of the call itself stands before what is said of its zones (from `first` on).
  void judge(const Call& call, size_t first) {
    const bool doubted = cut_.findings.size() > first;
    const auto say = [&](Finding finding) {
      cut_.findings.insert(cut_.findings.begin() + static_cast<int64_t>(first), std::move(finding));
    };
    const std::string name = short_name(*graph_.nodes[call.node]);
    const bool below_is_mixed = std::any_of(call.zones.begin(), call.zones.end(), [&](const Zone& zone) {
      return !graph_.parameter_only[zone.entry.node] && graph_.slots[zone.entry.node][zone.entry.slot] == graph_.slots[call.node][0];
    });
    if (doubted && below_is_mixed && couples_along_a_dimension(name)) {
      say({Verdict::refused, graph_.describe(call.node), "works along the example axis and so mixes examples",
           "let it work along another dimension"});
    } else if (!is_row_wise(*graph_.nodes[call.node])) {
      say({Verdict::unproved, graph_.describe(call.node), "uses parameters in a way that the graph does not show",
           "run check_independence(loss_fn, batch) once for this model"});
    }
  }

  void mix(uint64_t value) { cut_.signature ^= value + 0x9e3779b97f4a7c15ull + (cut_.signature << 6) + (cut_.signature >> 2); }

  void sign() {
    for (size_t id = 0; id < graph_.nodes.size(); ++id) {
      mix(std::hash<std::string>()(graph_.nodes[id]->name()));
      for (int edge = 0; edge < graph_.edges(static_cast<int>(id)); ++edge) {
        const Target below = graph_.target(static_cast<int>(id), edge);
        mix(below.defined() ? static_cast<uint64_t>(below.node) * 64 + below.slot : ~uint64_t{0});
      }
    }
    cut_.structure = cut_.signature;
    if (graph_.examples == 1) return;  // a single example has no layout to speak of
    for (const Call& call : cut_.calls) {
      for (size_t slot = 0; slot < owners_.slots[call.node].size(); ++slot) {
        const auto axis = axis_of(owners_.slots[call.node][slot], graph_.slots[call.node][slot], graph_.examples);
        mix(static_cast<uint64_t>(call.node) * 8 + static_cast<uint64_t>(owners_.slots[call.node][slot].kind));
        mix(axis ? axis->dim + 1 : 0);
        cut_.routed = cut_.routed || owners_.slots[call.node][slot].kind == Ownership::Kind::per_index;
      }
    }
  }

  const Graph& graph_;
  const Ownerships& owners_;
  Cut cut_;
};

}  // namespace

Cut find_cut(const Graph& graph, const Ownerships& owners, size_t parameters) { return CutFinder(graph, owners).run(parameters); }

}  // namespace ghostgrad::graph
