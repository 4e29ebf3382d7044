// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/rule.h"

#include <algorithm>
#include <map>

#include "ghostgrad/rules/examples_first.h"
#include "ghostgrad/rules/fallback.h"
#include "ghostgrad/rules/trial.h"

namespace ghostgrad::rules {
namespace {

struct Registered {
  RuleInfo info;
  Rule rule;
};

std::map<std::string, Registered>& registry() {
  static std::map<std::string, Registered> rules;
  return rules;
}

const Registered* find(const graph::Node& node) {
  if (!graph::is_native(node)) return nullptr;
  const auto it = registry().find(graph::short_name(node));
  return it == registry().end() ? nullptr : &it->second;
}

/// The terms of the call's rule, if it has one that can be believed.
Terms by_rule(const CallSite& call, Trials& trials) {
  const Registered* found = find(*call.self());
  if (!found) return {};
  if (!found->info.on_trial) return found->rule(call);
  try {
    Terms terms = found->rule(call);
    if (trials.passes(call, terms)) return terms;
  } catch (const c10::Error&) {  // the library refuses what the rule asks of it
  }
  return {};
}

}  // namespace

bool CallSite::wants(int edge) const {
  return std::any_of(call.zones.begin(), call.zones.end(), [&](const graph::Zone& zone) { return zone.edge == edge; });
}

const Shape& CallSite::shape(int edge) const {
  const graph::Target below = graph.target(call.node, edge);
  return graph.slots[below.node][below.slot];
}

std::optional<graph::Axis> CallSite::axis_along(int64_t dim, int slot) const {
  const Shape& shape = graph.slots[call.node][slot];
  if (!grads[slot].defined() || dim < 0 || dim >= static_cast<int64_t>(shape.size())) return std::nullopt;
  if (owners[slot].kind == graph::Ownership::Kind::single) {
    const auto all = std::make_shared<const std::vector<int32_t>>(shape[dim], static_cast<int32_t>(owners[slot].example));
    return graph::Axis{static_cast<int>(dim), std::max<int64_t>(1, shape[dim]), examples() > 1 ? all : nullptr};
  }
  const auto axis = graph::axis_of(owners[slot], shape, examples());
  return axis && axis->dim == dim ? axis : std::nullopt;
}

std::optional<graph::Axis> CallSite::axis_before(int64_t dims) const {
  for (int64_t dim = 0; dim < dims; ++dim) {
    if (const auto axis = axis_along(dim)) return axis;
  }
  return std::nullopt;
}

std::optional<at::Tensor> CallSite::summed(const at::Tensor& all, int edge) const {
  if (!all.defined() || all.is_complex()) return std::nullopt;
  return sum_to_shape(all, owners[0], examples(), shape(edge));
}

bool CallSite::only_first_slot() const {
  return !grads.empty() && grads[0].defined() &&
         std::none_of(grads.begin() + 1, grads.end(), [](const at::Tensor& grad) { return grad.defined(); });
}

RegisterRule::RegisterRule(RuleInfo info, Rule rule) {
  const std::string node = info.node;
  registry().emplace(node, Registered{std::move(info), rule});
}

std::string rule_name(const graph::Node& node) {
  const Registered* found = find(node);
  return found ? found->info.name : "fallback";
}

std::vector<RuleInfo> all_rules() {
  std::vector<RuleInfo> rules;
  for (const auto& [node, registered] : registry()) rules.push_back(registered.info);
  std::stable_sort(rules.begin(), rules.end(), [](const RuleInfo& a, const RuleInfo& b) { return a.name < b.name; });
  return rules;
}

CallTerms terms_of(const CallSite& call, Trials& trials) {
  CallTerms result;
  const bool reached = std::any_of(call.grads.begin(), call.grads.end(), [](const at::Tensor& grad) { return grad.defined(); });
  if (!reached) return result;
  const bool dense =
      std::none_of(call.grads.begin(), call.grads.end(), [](const at::Tensor& grad) { return grad.defined() && grad.is_sparse(); });
  if (dense) result.terms = by_rule(call, trials);
  result.by_rule.assign(result.terms.size(), 1);
  std::vector<int> left;
  for (const auto& zone : call.call.zones) {
    const auto has = [&](const auto& entry) { return entry.first == zone.edge; };
    if (std::none_of(result.terms.begin(), result.terms.end(), has)) left.push_back(zone.edge);
  }
  if (left.empty()) return result;
  for (auto& term : fallback(call, left)) result.terms.push_back(std::move(term));
  result.by_rule.resize(result.terms.size(), 0);
  return result;
}

}  // namespace ghostgrad::rules
