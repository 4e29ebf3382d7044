// SPDX-License-Identifier: Apache-2.0
// Views by memory layout, and in-place changes of views, which autograd rewrites as: base gradient -> the view's part through the op ->
// back.
#include <torch/csrc/autograd/functions/tensor.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/addresses.h"
#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/hooks.h"
#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;
using torch::autograd::CopySlices;

Layout as_layout(const at::TensorGeometry& tensor) {
  return {as_shape(tensor.sym_sizes()), as_shape(tensor.sym_strides()), as_int(tensor.sym_storage_offset())};
}

/// What the slot, a tensor of geometry `from`, says of a tensor of geometry `to` in the same storage.
Ownership carried_over(const Transfer& t, const Layout& from, const Layout& to) {
  const auto axis = t.axis();
  if (!axis || from.sizes != t.shape()) return Ownership::mixed();
  const auto rule = rule_of(from, *axis, t.examples());
  return rule ? layout_under(*rule, to, t.examples()) : Ownership::mixed();
}

const Registered strided_views = transfers<AsStridedBackward0, AsStridedBackward1>([](const auto& node, Transfer& t) {
  const Layout base = as_layout(node.self_geometry);
  const Layout view{as_shape(node.size), as_shape(node.stride), node.storage_offset ? as_int(*node.storage_offset) : base.offset};
  if (t.wanted(0) && base.sizes == t.edge_shape()) t.set(0, carried_over(t, view, base));
});

/// The op that changed the view in place, applied to the view's part of the gradient; [edges] with edge 0 as the view's own gradient.
std::vector<Ownership> through_op(const CopySlices& node, Transfer& t, const Ownership& part, const Shape& view) {
  std::vector<const Shape*> shapes(t.edges(), nullptr);
  for (int edge = 1; edge < t.edges(); ++edge) shapes[edge] = t.wanted(edge) ? &t.edge_shape(edge) : nullptr;
  shapes[0] = &view;
  std::vector<Ownership> results(t.edges());
  carry({node.fn, t.examples(), part, view, shapes}, results);
  return results;
}

const Registered changed_views = transfers<CopySlices>([](const CopySlices& node, Transfer& t) {
  if (has_hooks(*node.fn) || node.view_fn) return;
  const Layout view = as_layout(node.view);
  const Ownership part = carried_over(t, as_layout(node.base), view);
  if (part.is_mixed()) return;
  std::vector<Ownership> results(t.edges(), Ownership::none());
  if (part.live()) results = through_op(node, t, part, view.sizes);
  for (int edge = 1; edge < t.edges(); ++edge) t.set(edge, results[edge]);
  const bool unchanged = join(results[0], part, view.sizes, t.examples()) == part;
  t.set(0, unchanged ? t.in() : Ownership::mixed());
});

}  // namespace
}  // namespace ghostgrad::graph
