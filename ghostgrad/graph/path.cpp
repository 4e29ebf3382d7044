// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/path.h"

#include <algorithm>
#include <functional>
#include <typeindex>
#include <unordered_map>

#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/hooks.h"

namespace ghostgrad::graph {
namespace {

namespace generated = torch::autograd::generated;

/// What a step sees: the node, its slot, the shapes above and below it.
struct Step {
  const Node& node;
  int slot;
  const Shape& above;
  const Shape& below;
};

/// Gradients [B, *above] -> [B, *below]
using Pull = std::function<at::Tensor(const Step&, const at::Tensor&)>;
/// The layout below -> the layout above; false where there is none.
using Show = std::function<bool(const Step&, Layout&)>;

struct StepRule {
  Pull pull;
  Show show;
  bool isometric = true;
};

int64_t wrap(int64_t dim, size_t dims) { return dim < 0 ? dim + static_cast<int64_t>(dims) : dim; }

std::vector<int64_t> by_example(int64_t examples, const Shape& shape) {
  std::vector<int64_t> sizes{examples};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

at::Tensor reshape(const Step& step, const at::Tensor& grads) { return grads.reshape(by_example(grads.size(0), step.below)); }

bool show_reshaped(const Step& step, Layout& layout) { return layout.view(step.above); }

at::Tensor transpose_2d(const Step&, const at::Tensor& grads) { return grads.dim() == 3 ? grads.transpose(1, 2) : grads; }

bool show_transposed_2d(const Step& step, Layout& layout) {
  if (step.below.size() == 2) layout.swap(0, 1);
  return true;
}

std::pair<int64_t, int64_t> dims_of_transpose(const Step& step) {
  const auto& node = static_cast<const generated::TransposeBackward0&>(step.node);
  return {wrap(node.dim0, step.above.size()), wrap(node.dim1, step.above.size())};
}

at::Tensor transpose(const Step& step, const at::Tensor& grads) {
  const auto [one, other] = dims_of_transpose(step);
  return grads.transpose(one + 1, other + 1);
}

bool show_transposed(const Step& step, Layout& layout) {
  const auto [one, other] = dims_of_transpose(step);
  if (one != other) layout.swap(one, other);
  return true;
}

Shape dims_of_permute(const Step& step) {
  Shape dims;
  for (int64_t dim : static_cast<const generated::PermuteBackward0&>(step.node).dims) dims.push_back(wrap(dim, step.above.size()));
  return dims;
}

at::Tensor permute(const Step& step, const at::Tensor& grads) {
  const Shape dims = dims_of_permute(step);
  std::vector<int64_t> inverse(dims.size() + 1, 0);
  for (size_t j = 0; j < dims.size(); ++j) inverse[dims[j] + 1] = static_cast<int64_t>(j) + 1;
  return grads.permute(inverse);
}

bool show_permuted(const Step& step, Layout& layout) {
  layout.permute(dims_of_permute(step));
  return true;
}

at::Tensor cast(const Step&, const at::Tensor& grads) { return grads; }  // stays in the precision in which it was formed

bool show_all(const Step&, Layout&) { return true; }

bool show_slice(const Step& step, Layout& layout) {
  const auto& node = static_cast<const generated::SliceBackward0&>(step.node);
  const int64_t dim = wrap(node.dim, step.below.size()), size = step.below[dim];
  const auto clamp = [&](int64_t index) { return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size); };
  layout.narrow(dim, node.start ? clamp(node.start->expect_int()) : 0, step.above[dim], node.step.expect_int());
  return true;
}

bool show_selected(const Step& step, Layout& layout) {
  const auto& node = static_cast<const generated::SelectBackward0&>(step.node);
  const int64_t dim = wrap(node.dim, step.below.size());
  layout.select(dim, wrap(node.index.expect_int(), step.below[dim]));
  return true;
}

bool show_unbound(const Step& step, Layout& layout) {
  layout.select(wrap(static_cast<const generated::UnbindBackward0&>(step.node).dim, step.below.size()), step.slot);
  return true;
}

template <class SplitNode>
bool show_part(const Step& step, Layout& layout) {
  const int64_t dim = wrap(static_cast<const SplitNode&>(step.node).dim, step.below.size());
  int64_t start = 0;
  for (int slot = 0; slot < step.slot; ++slot) start += step.node.input_metadata(slot).shape_as_dim_vector()[dim].expect_int();
  layout.narrow(dim, start, step.above[dim], 1);
  return true;
}

/// The gradient placed into zeros, where it was cut out.
StepRule cut_out(Show show) {
  const auto pull = [show](const Step& step, const at::Tensor& grads) {
    Layout layout = Layout::of(step.below);
    show(step, layout);
    return placed(grads, layout, step.below);
  };
  return {pull, show};
}

at::Tensor expand(const Step& step, const at::Tensor& grads) {
  const auto below = by_example(grads.size(0), step.below);
  const int64_t extra = grads.dim() - static_cast<int64_t>(below.size());
  std::vector<int64_t> reduced;
  for (int64_t d = 1; d < grads.dim(); ++d) {
    if (d <= extra || (below[d - extra] == 1 && grads.size(d) != 1)) reduced.push_back(d);
  }
  return reduced.empty() ? grads.reshape(below) : grads.sum(reduced, /*keepdim=*/true).reshape(below);
}

bool show_nothing(const Step&, Layout&) { return false; }

const std::unordered_map<std::type_index, StepRule>& step_rules() {
  const StepRule reshapes{reshape, show_reshaped};
  static const std::unordered_map<std::type_index, StepRule> rules = {
      {typeid(generated::TBackward0), {transpose_2d, show_transposed_2d}},
      {typeid(generated::TransposeBackward0), {transpose, show_transposed}},
      {typeid(generated::PermuteBackward0), {permute, show_permuted}},
      {typeid(generated::ViewBackward0), reshapes},
      {typeid(generated::UnsafeViewBackward0), reshapes},
      {typeid(generated::ReshapeAliasBackward0), reshapes},
      {typeid(generated::UnsqueezeBackward0), reshapes},
      {typeid(generated::SqueezeBackward0), reshapes},
      {typeid(generated::SqueezeBackward1), reshapes},
      {typeid(generated::AliasBackward0), reshapes},
      {typeid(generated::CloneBackward0), reshapes},
      {typeid(generated::ToCopyBackward0), {cast, show_all}},
      {typeid(generated::SliceBackward0), cut_out(show_slice)},
      {typeid(generated::SelectBackward0), cut_out(show_selected)},
      {typeid(generated::UnbindBackward0), cut_out(show_unbound)},
      {typeid(generated::SplitBackward0), cut_out(show_part<generated::SplitBackward0>)},
      {typeid(generated::SplitWithSizesBackward0), cut_out(show_part<generated::SplitWithSizesBackward0>)},
      {typeid(generated::ExpandBackward0), {expand, show_nothing, /*isometric=*/false}},
  };
  return rules;
}

Step step_at(const Graph& graph, const Target& at) {
  const Target next = graph.target(at.node, 0);
  return {*graph.nodes[at.node], at.slot, graph.slots[at.node][at.slot], graph.slots[next.node][next.slot]};
}

/// From the parameter up to the call.
std::optional<Layout> layout_of(const Graph& graph, const Path& path) {
  Layout layout = Layout::of(graph.slots[path.leaf][0]);
  for (auto at = path.steps.rbegin(); at != path.steps.rend(); ++at) {
    const Step step = step_at(graph, *at);
    if (!step_rules().at(typeid(step.node)).show(step, layout)) return std::nullopt;
  }
  return layout;
}

bool is_complex(const Graph& graph, const Target& at) {
  return c10::isComplexType(c10::typeMetaToScalarType(graph.nodes[at.node]->input_metadata(at.slot).options().dtype()));
}

}  // namespace

std::optional<Path> trace_path(const Graph& graph, const Target& entry) {
  Path path;
  Target at = entry;
  while (graph.parameter[at.node] < 0) {
    Node& node = *graph.nodes[at.node];
    const auto rule = step_rules().find(typeid(node));
    if (rule == step_rules().end() || node.num_outputs() != 1 || has_hooks(node)) return std::nullopt;
    const Target next = graph.target(at.node, 0);
    if (is_complex(graph, at) && !is_complex(graph, next)) return std::nullopt;  // takes the real part, which is shorter
    path.isometric = path.isometric && rule->second.isometric;
    path.steps.push_back(at);
    at = next;
  }
  path.leaf = at.node;
  path.parameter = graph.parameter[at.node];
  path.layout = layout_of(graph, path);
  return path;
}

at::Tensor pull_back(const Graph& graph, const Path& path, at::Tensor grads) {
  for (const Target& at : path.steps) {
    const Step step = step_at(graph, at);
    grads = step_rules().at(typeid(step.node)).pull(step, grads);
  }
  return grads;
}

at::Tensor placed(const at::Tensor& grads, const Layout& layout, const Shape& shape) {
  const int64_t examples = grads.size(0);
  const Layout whole = Layout::of(shape);
  if (layout.squeezed() == whole.squeezed()) return grads.reshape(by_example(examples, shape));
  at::Tensor all = at::zeros(by_example(examples, shape), grads.options());
  Shape strides{whole.numel()};
  strides.insert(strides.end(), layout.strides.begin(), layout.strides.end());
  all.as_strided(by_example(examples, layout.sizes), strides, layout.offset).copy_(grads.reshape(by_example(examples, layout.sizes)));
  return all;
}

}  // namespace ghostgrad::graph
