// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/joint_bundle.h"

#include <algorithm>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "ghostgrad/graph/capture.h"
#include "ghostgrad/rules/rounding.h"

namespace ghostgrad::clip {
namespace {

using Leaves = std::vector<std::pair<int, at::Tensor>>;  // (parameter, gradient)

/// Gradients of a value at the zone's entry, one example or one sum of examples at a time: grads [n, *shape] -> (parameter, [n, *shape]).
Leaves through_zone(const graph::Graph& graph, const graph::Zone& zone, const at::Tensor& grads) {
  if (zone.path) return {{zone.path->parameter, graph::pull_back(graph, *zone.path, grads)}};
  const auto dtype = graph.nodes[zone.entry.node]->input_metadata(zone.entry.slot).dtype();
  std::vector<at::Tensor> collected(zone.leaves.size());
  for (int64_t row = 0; row < grads.size(0); ++row) {
    const auto back = graph::pull_back_by_engine(graph, zone.entry, grads[row].to(dtype), zone.leaves);
    for (size_t k = 0; k < back.size(); ++k) {
      if (!back[k].defined()) continue;
      const at::Tensor grad = rules::at_least_float(back[k].is_sparse() ? back[k].to_dense() : back[k]);
      if (!collected[k].defined()) {
        std::vector<int64_t> sizes{grads.size(0)};
        sizes.insert(sizes.end(), grad.sizes().begin(), grad.sizes().end());
        collected[k] = at::zeros(sizes, grad.options());
      }
      collected[k][row].copy_(grad);
    }
  }
  Leaves leaves;
  for (size_t k = 0; k < collected.size(); ++k) {
    if (collected[k].defined()) leaves.emplace_back(graph.parameter[zone.leaves[k]], collected[k]);
  }
  return leaves;
}

void add_into(std::map<int, at::Tensor>& sums, const Leaves& leaves) {
  for (const auto& [parameter, grad] : leaves) {
    at::Tensor& sum = sums[parameter];
    sum = sum.defined() ? sum + grad : grad;
  }
}

}  // namespace

JointBundle::JointBundle(const graph::Graph& graph, std::vector<Use> uses, std::string label) : graph_(graph), uses_(std::move(uses)) {
  label_ = std::move(label);
  isometric_ = std::all_of(uses_.begin(), uses_.end(), [](const Use& use) { return use.zone->path && use.zone->path->isometric; });
}

JointBundle::Sums JointBundle::per_example() const {
  Sums sums;
  for (const Use& use : uses_) add_into(sums, through_zone(graph_, *use.zone, use.term->per_example()));
  return sums;
}

/// As rules/sum_term.h does for uses without paths.
at::Tensor JointBundle::rounding(int parameter) const {
  at::Tensor lengths = at::zeros({}, at::kDouble), roundings = lengths;
  double unit = 0;
  for (const Use& use : uses_) {
    if (use.zone->path->parameter != parameter) continue;
    lengths = lengths + use.term->lengths();
    roundings = roundings + use.term->rounding();
    unit = std::max(unit, use.term->unit());
  }
  return roundings + rules::rounding_of_sums(unit, static_cast<int64_t>(uses_.size()), lengths.square());
}

std::vector<int> JointBundle::parameters() const {
  std::set<int> all;
  for (const Use& use : uses_) {
    for (int leaf : use.zone->leaves) all.insert(graph_.parameter[leaf]);
  }
  return {all.begin(), all.end()};
}

ByParameter JointBundle::squared_norms(Route route) {
  const Sums grads = per_example();
  kept_.clear();
  if (route == Route::instantiate_keep || !isometric_) kept_ = grads;
  ByParameter squared;
  for (const auto& [parameter, grad] : grads) {
    const at::Tensor squares = rules::squares_per_example(grad);
    const bool raise = route != Route::instantiate_keep && isometric_;
    squared.emplace_back(parameter, raise ? rules::raised(squares, rounding(parameter)) : squares);
  }
  return squared;
}

JointBundle::Sums JointBundle::sums_with(const at::Tensor& coefficients) const {
  Sums sums;
  for (const Use& use : uses_) {
    for (const auto& [parameter, grad] : through_zone(graph_, *use.zone, use.term->weighted_sum(coefficients).unsqueeze(0))) {
      add_into(sums, {{parameter, grad.squeeze(0)}});
    }
  }
  return sums;
}

ByParameter JointBundle::weighted_sums(const Coefficients& coefficients) {
  ByParameter sums;
  if (!kept_.empty()) {
    for (const auto& [parameter, grads] : kept_) sums.emplace_back(parameter, rules::weighted_sum_of(grads, coefficients.of(parameter)));
    return sums;
  }
  std::set<int> groups;
  for (int parameter : parameters()) groups.insert(coefficients.of_parameter[parameter]);
  for (int group : groups) {  // once through the zone for each
    for (auto& [parameter, sum] : sums_with(coefficients.of_group(group))) {
      if (coefficients.of_parameter[parameter] == group) sums.emplace_back(parameter, std::move(sum));
    }
  }
  return sums;
}

rules::Cost JointBundle::cost() const {
  rules::Cost total;
  total.positions = 0;
  for (const Use& use : uses_) {
    const rules::Cost cost = use.term->cost();
    total.instantiate += cost.instantiate;
    total.weighted_sum += cost.weighted_sum;
    total.kept_elements += cost.kept_elements;
    total.positions += cost.positions;
  }
  total.gram = total.instantiate;
  return total;
}

bool JointBundle::isolates_examples() const {
  return std::all_of(uses_.begin(), uses_.end(), [](const Use& use) { return use.term->isolates_examples(); });
}

bool JointBundle::bears_other_orders() const {
  return isometric_ && std::all_of(uses_.begin(), uses_.end(), [](const Use& use) { return use.term->bears_other_orders(); });
}

void JointBundle::keep_only(const at::Tensor& valid) {
  for (Use& use : uses_) use.term->keep_only(valid);
  for (auto& [parameter, grads] : kept_) grads = rules::select_examples(grads, valid);
}

}  // namespace ghostgrad::clip
