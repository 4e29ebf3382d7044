// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/bundle.h"

#include <map>

#include "ghostgrad/clip/joint_bundle.h"
#include "ghostgrad/clip/single_bundle.h"
#include "ghostgrad/rules/sum_term.h"

namespace ghostgrad::clip {
namespace {

/// Leaves that share a zone, directly or through others, are in one set.
class DisjointSets {
 public:
  int root(int x) {
    const auto [it, fresh] = parent_.try_emplace(x, x);
    return it->second == x ? x : it->second = root(it->second);
  }
  void unite(int a, int b) { parent_[root(a)] = root(b); }

 private:
  std::map<int, int> parent_;
};

/// All uses as terms on the parameter itself, or nothing, and then the uses stay as they are.
std::vector<rules::TermPtr> direct_terms(std::vector<Use>& uses) {
  std::vector<rules::TermPtr> turned(uses.size());
  for (size_t k = 0; k < uses.size(); ++k) {
    const auto& path = uses[k].zone->path;
    if (!path || !path->direct) return {};
    if (path->transposed && !(turned[k] = uses[k].term->transposed())) return {};
  }
  for (size_t k = 0; k < uses.size(); ++k) {
    if (!turned[k]) turned[k] = std::move(uses[k].term);
  }
  return turned;
}

/// The first use and how many more; each that has no rule by name.
std::string label_of(const std::vector<Use>& uses) {
  std::string label = uses[0].label;
  size_t more = 0;
  for (size_t k = 1; k < uses.size(); ++k) {
    const bool by_rule = uses[k].label.rfind("fallback", 0) != 0;
    more += by_rule ? 1 : 0;
    if (!by_rule) label += ", " + uses[k].label;
  }
  if (more > 0) label += " and " + std::to_string(more) + " more";
  return label;
}

BundlePtr make_bundle(const graph::Graph& graph, std::vector<Use> uses) {
  const auto& path = uses[0].zone->path;
  const std::string label = label_of(uses);
  if (uses.size() == 1 && path && path->isometric && !path->direct) {
    return std::make_unique<SingleBundle>(graph, std::move(uses[0].term), *path, label);
  }
  if (auto terms = direct_terms(uses); !terms.empty()) {
    graph::Path here;  // the parameter itself
    here.leaf = path->leaf;
    here.parameter = path->parameter;
    return std::make_unique<SingleBundle>(graph, rules::added_up(std::move(terms)), here, label);
  }
  return std::make_unique<JointBundle>(graph, std::move(uses), label);
}

}  // namespace

std::vector<BundlePtr> make_bundles(const graph::Graph& graph, std::vector<Use> uses) {
  DisjointSets sets;
  for (const Use& use : uses) {
    for (int leaf : use.zone->leaves) sets.unite(leaf, use.zone->leaves[0]);
  }
  std::map<int, std::vector<Use>> by_set;
  for (Use& use : uses) {
    if (!use.zone->leaves.empty()) by_set[sets.root(use.zone->leaves[0])].push_back(std::move(use));
  }
  std::vector<BundlePtr> bundles;
  bundles.reserve(by_set.size());
  for (auto& [root, members] : by_set) bundles.push_back(make_bundle(graph, std::move(members)));
  return bundles;
}

}  // namespace ghostgrad::clip
