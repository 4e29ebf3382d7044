// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/bundle.h"

#include <algorithm>
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

/// Elements of a parameter in the order of its memory, and whether a call sees them transposed.
struct Seen {
  graph::Layout layout;
  bool transposed = false;
};

std::optional<Seen> seen_through(const std::optional<graph::Path>& path) {
  if (!path || !path->layout) return std::nullopt;
  Seen seen{path->layout->squeezed()};
  const auto& strides = seen.layout.strides;
  if (std::is_sorted(strides.rbegin(), strides.rend())) return seen;
  if (strides.size() != 2) return std::nullopt;
  seen.layout.swap(0, 1);
  seen.transposed = true;
  return seen;
}

/// The uses of the same elements.
struct Piece {
  graph::Layout layout;
  std::vector<Use*> uses;
  std::vector<rules::TermPtr> turned;  // of uses that see them transposed: the same term in the order of memory
};

/// The uses of one parameter by the elements that they see; nothing where pieces overlap, or there is no telling.
std::vector<Piece> pieces_of(const graph::Graph& graph, std::vector<Use>& uses) {
  std::vector<Piece> pieces;
  std::vector<graph::Layout> layouts;
  for (Use& use : uses) {
    const auto seen = seen_through(use.zone->path);
    rules::TermPtr turned = seen && seen->transposed ? use.term->transposed() : nullptr;
    if (!seen || (seen->transposed && !turned)) return {};
    auto piece = std::find_if(pieces.begin(), pieces.end(), [&](const Piece& known) { return known.layout == seen->layout; });
    if (piece == pieces.end()) {
      layouts.push_back(seen->layout);
      piece = pieces.insert(piece, Piece{seen->layout, {}, {}});
    }
    piece->uses.push_back(&use);
    piece->turned.push_back(std::move(turned));
  }
  const graph::Shape& whole = graph.slots[uses[0].zone->path->leaf][0];
  if (!graph::disjoint(layouts, graph::Layout::of(whole).numel())) return {};
  return pieces;
}

/// The first use and how many more; each that has no rule by name.
std::string label_of(const std::vector<Use*>& uses) {
  std::string label = uses[0]->label;
  size_t more = 0;
  for (size_t k = 1; k < uses.size(); ++k) {
    const bool by_rule = uses[k]->label.rfind("fallback", 0) != 0;
    more += by_rule ? 1 : 0;
    if (!by_rule) label += ", " + uses[k]->label;
  }
  if (more > 0) label += " and " + std::to_string(more) + " more";
  return label;
}

BundlePtr bundle_of(const graph::Graph& graph, Piece& piece) {
  std::vector<rules::TermPtr> terms;
  for (size_t k = 0; k < piece.uses.size(); ++k) terms.push_back(std::move(piece.turned[k] ? piece.turned[k] : piece.uses[k]->term));
  const graph::Path& path = *piece.uses[0]->zone->path;
  const auto place = [layout = piece.layout, &shape = graph.slots[path.leaf][0]](const at::Tensor& sum) {
    return graph::placed(sum, layout, shape);
  };
  return std::make_unique<SingleBundle>(rules::added_up(std::move(terms)), path.parameter, place, label_of(piece.uses));
}

/// Bundles of uses that meet in the same parameters: pieces that do not overlap have nothing to do with each other.
void add_bundles(const graph::Graph& graph, std::vector<Use> uses, std::vector<BundlePtr>& bundles) {
  if (auto pieces = pieces_of(graph, uses); !pieces.empty()) {
    for (Piece& piece : pieces) bundles.push_back(bundle_of(graph, piece));
    return;
  }
  std::vector<Use*> all;
  for (Use& use : uses) all.push_back(&use);
  std::string label = label_of(all);
  const auto& path = uses[0].zone->path;
  if (uses.size() == 1 && path && path->isometric) {
    const auto place = [&graph, path = *path](const at::Tensor& sum) { return graph::pull_back(graph, path, sum); };
    bundles.push_back(std::make_unique<SingleBundle>(std::move(uses[0].term), path->parameter, place, std::move(label)));
  } else {
    bundles.push_back(std::make_unique<JointBundle>(graph, std::move(uses), std::move(label)));
  }
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
  for (auto& [root, members] : by_set) add_bundles(graph, std::move(members), bundles);
  return bundles;
}

}  // namespace ghostgrad::clip
