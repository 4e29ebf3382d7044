// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/bundle.h"

#include <map>

#include "ghostgrad/clip/joint_bundle.h"
#include "ghostgrad/clip/single_bundle.h"

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

/// All uses as one term on the parameter itself, or nullptr. Leaves the uses as they are when there is no such term.
rules::TermPtr merge(std::vector<Use>& uses) {
  std::vector<rules::TermPtr> turned;
  std::vector<const rules::Term*> terms;
  for (const Use& use : uses) {
    const auto& path = use.zone->path;
    if (!path || !path->direct) return nullptr;
    if (path->transposed) turned.push_back(use.term->transposed());
    terms.push_back(path->transposed ? turned.back().get() : use.term.get());
    if (!terms.back()) return nullptr;
  }
  if (uses.size() == 1) return std::move(turned.empty() ? uses[0].term : turned[0]);
  return terms[0]->concatenate({terms.begin() + 1, terms.end()});
}

std::string label_of(const std::vector<Use>& uses) {
  std::string label = uses[0].label;
  if (uses.size() > 1) label += " and " + std::to_string(uses.size() - 1) + " more";
  return label;
}

BundlePtr make_bundle(const graph::Graph& graph, std::vector<Use> uses) {
  const auto& path = uses[0].zone->path;
  const std::string label = label_of(uses);
  if (uses.size() == 1 && path && path->isometric && !path->direct) {
    return std::make_unique<SingleBundle>(graph, std::move(uses[0].term), *path, label);
  }
  if (auto term = merge(uses)) {
    graph::Path here;  // the parameter itself
    here.leaf = path->leaf;
    here.parameter = path->parameter;
    return std::make_unique<SingleBundle>(graph, std::move(term), here, label);
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
  for (auto& [root, members] : by_set) bundles.push_back(make_bundle(graph, std::move(members)));
  return bundles;
}

}  // namespace ghostgrad::clip
