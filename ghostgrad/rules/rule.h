// SPDX-License-Identifier: Apache-2.0
// A rule turns one call into terms, by reading what its autograd node saved. Rules are found by node name; adding a layer is adding a file:
//
//     Terms addmm(const CallSite& call) { ... }
//     const RegisterRule registered{{"AddmmBackward0", "linear", "beta * bias + alpha * x @ W"}, addmm};
//
// An edge for which a rule gives no term goes to the fallback (fallback.h): exact for any op, slower, and reported.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/graph/cut.h"
#include "ghostgrad/rules/term.h"

namespace ghostgrad::rules {

/// One call as a rule sees it: the node, the gradients captured at its slots, and who owns them.
struct CallSite {
  const graph::Graph& graph;
  const graph::Call& call;
  const std::vector<graph::Ownership>& owners;  // [slot]
  const std::vector<at::Tensor>& grads;         // [slot], undefined where no gradient flows

  [[nodiscard]] int64_t examples() const { return graph.examples; }
  [[nodiscard]] const graph::NodePtr& self() const { return graph.nodes[call.node]; }
  template <class N>
  [[nodiscard]] N& node() const {
    return static_cast<N&>(*self());
  }
  /// Whether this edge leads into a zone.
  [[nodiscard]] bool wants(int edge) const;
  /// Shape of the value at this edge.
  [[nodiscard]] const Shape& shape(int edge) const;
  /// The layout of a slot read along `dim`; nothing when it has none there or no gradient flows. What belongs to a single example (B = 1, a
  /// user's loop over examples) can be read along any dimension.
  [[nodiscard]] std::optional<graph::Axis> axis_along(int64_t dim, int slot = 0) const;
  /// The same along some dimension before `dims`.
  [[nodiscard]] std::optional<graph::Axis> axis_before(int64_t dims) const;
  /// Each example's sum of grads (laid out as slot 0) over what broadcasting added or stretched: [B, *shape(edge)], in at least float32.
  /// Nothing when each example owns a part of the value at the edge.
  [[nodiscard]] std::optional<at::Tensor> summed(const at::Tensor& grads, int edge) const;
  /// Whether slot 0 is the only one through which a gradient flows.
  [[nodiscard]] bool only_first_slot() const;
};

/// Terms by edge of the call.
using Terms = std::vector<std::pair<int, TermPtr>>;
using Rule = Terms (*)(const CallSite&);

struct RuleInfo {
  std::string node;       // "AddmmBackward0"
  std::string name;       // "linear"
  std::string formula;    // one line for `ghostgrad rules`
  bool on_trial = false;  // compared with its node before it is believed (trial.h)
};

class RegisterRule {
 public:
  RegisterRule(RuleInfo info, Rule rule);
};

/// Its name, or "fallback".
[[nodiscard]] std::string rule_name(const graph::Node& node);
/// All rules, by name and node.
[[nodiscard]] std::vector<RuleInfo> all_rules();

class Trials;

/// One term for every zone of the call: by its rule, else by the fallback. `by_rule` tells which edges had a rule.
struct CallTerms {
  Terms terms;
  std::vector<char> by_rule;  // aligned with terms
};
[[nodiscard]] CallTerms terms_of(const CallSite& call, Trials& trials);

}  // namespace ghostgrad::rules
