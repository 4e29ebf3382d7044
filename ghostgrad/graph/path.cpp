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

/// What a step sees: the node, its slot, the shape that the gradient shall have below it (with the examples in front).
struct Step {
  const Node& node;
  int slot;
  std::vector<int64_t> below;  // [B, *shape]
};

using Pull = std::function<at::Tensor(const Step&, const at::Tensor&)>;

struct StepRule {
  Pull pull;
  bool isometric = true;
};

int64_t wrap(int64_t dim, int64_t dims) { return dim < 0 ? dim + dims : dim; }

at::Tensor reshape(const Step& step, const at::Tensor& grads) { return grads.reshape(step.below); }

at::Tensor transpose_2d(const Step&, const at::Tensor& grads) { return grads.dim() == 3 ? grads.transpose(1, 2) : grads; }

at::Tensor transpose(const Step& step, const at::Tensor& grads) {
  const auto& node = static_cast<const generated::TransposeBackward0&>(step.node);
  const int64_t dims = grads.dim() - 1;
  return grads.transpose(wrap(node.dim0, dims) + 1, wrap(node.dim1, dims) + 1);
}

at::Tensor permute(const Step& step, const at::Tensor& grads) {
  const auto& node = static_cast<const generated::PermuteBackward0&>(step.node);
  const auto dims = static_cast<int64_t>(node.dims.size());
  std::vector<int64_t> inverse(dims + 1, 0);
  for (int64_t j = 0; j < dims; ++j) inverse[wrap(node.dims[j], dims) + 1] = j + 1;
  return grads.permute(inverse);
}

at::Tensor cast(const Step&, const at::Tensor& grads) { return grads; }  // stays in the precision in which it was formed

/// The gradient placed into zeros: `part` picks where, out of the tensor below.
template <class Part>
at::Tensor embed(const Step& step, const at::Tensor& grads, Part part) {
  auto whole = at::zeros(step.below, grads.options());
  part(whole).copy_(grads);
  return whole;
}

at::Tensor slice(const Step& step, const at::Tensor& grads) {
  const auto& node = static_cast<const generated::SliceBackward0&>(step.node);
  const int64_t dim = wrap(node.dim, grads.dim() - 1) + 1, size = step.below[dim];
  const auto clamp = [&](int64_t index) { return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size); };
  const int64_t start = node.start ? clamp(node.start->expect_int()) : 0;
  const int64_t stop = node.end ? clamp(node.end->expect_int()) : size;
  return embed(step, grads, [&](const at::Tensor& whole) { return whole.slice(dim, start, stop, node.step.expect_int()); });
}

at::Tensor select(const Step& step, const at::Tensor& grads) {
  const auto& node = static_cast<const generated::SelectBackward0&>(step.node);
  const int64_t dim = wrap(node.dim, static_cast<int64_t>(step.below.size()) - 1) + 1;
  return embed(step, grads, [&](const at::Tensor& whole) { return whole.select(dim, node.index.expect_int()); });
}

at::Tensor unbind(const Step& step, const at::Tensor& grads) {
  const auto& node = static_cast<const generated::UnbindBackward0&>(step.node);
  const int64_t dim = wrap(node.dim, static_cast<int64_t>(step.below.size()) - 1) + 1;
  return embed(step, grads, [&](const at::Tensor& whole) { return whole.select(dim, step.slot); });
}

at::Tensor place_part(const Step& step, const at::Tensor& grads, int64_t raw_dim) {
  const int64_t dim = wrap(raw_dim, grads.dim() - 1) + 1;
  int64_t start = 0;
  for (int slot = 0; slot < step.slot; ++slot) {
    start += step.node.input_metadata(slot).shape_as_dim_vector()[dim - 1].expect_int();
  }
  return embed(step, grads, [&](const at::Tensor& whole) { return whole.narrow(dim, start, grads.size(dim)); });
}

template <class SplitNode>
at::Tensor split(const Step& step, const at::Tensor& grads) {
  return place_part(step, grads, static_cast<const SplitNode&>(step.node).dim);
}

at::Tensor expand(const Step& step, const at::Tensor& grads) {
  const int64_t extra = grads.dim() - static_cast<int64_t>(step.below.size());
  std::vector<int64_t> reduced;
  for (int64_t d = 1; d < grads.dim(); ++d) {
    if (d <= extra || (step.below[d - extra] == 1 && grads.size(d) != 1)) reduced.push_back(d);
  }
  return reduced.empty() ? grads.reshape(step.below) : grads.sum(reduced, /*keepdim=*/true).reshape(step.below);
}

const std::unordered_map<std::type_index, StepRule>& step_rules() {
  static const std::unordered_map<std::type_index, StepRule> rules = {
      {typeid(generated::TBackward0), {transpose_2d}},
      {typeid(generated::TransposeBackward0), {transpose}},
      {typeid(generated::PermuteBackward0), {permute}},
      {typeid(generated::ViewBackward0), {reshape}},
      {typeid(generated::UnsafeViewBackward0), {reshape}},
      {typeid(generated::ReshapeAliasBackward0), {reshape}},
      {typeid(generated::UnsqueezeBackward0), {reshape}},
      {typeid(generated::SqueezeBackward0), {reshape}},
      {typeid(generated::SqueezeBackward1), {reshape}},
      {typeid(generated::AliasBackward0), {reshape}},
      {typeid(generated::CloneBackward0), {reshape}},
      {typeid(generated::ToCopyBackward0), {cast}},
      {typeid(generated::SliceBackward0), {slice}},
      {typeid(generated::SelectBackward0), {select}},
      {typeid(generated::UnbindBackward0), {unbind}},
      {typeid(generated::SplitBackward0), {split<generated::SplitBackward0>}},
      {typeid(generated::SplitWithSizesBackward0), {split<generated::SplitWithSizesBackward0>}},
      {typeid(generated::ExpandBackward0), {expand, /*isometric=*/false}},
  };
  return rules;
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
    const bool flips = typeid(node) == typeid(generated::TBackward0) && graph.slots[at.node][0].size() == 2;
    path.isometric = path.isometric && rule->second.isometric;
    path.direct = path.direct && (flips || typeid(node) == typeid(generated::ToCopyBackward0));
    path.transposed = path.transposed != flips;
    path.steps.push_back(at);
    at = next;
  }
  path.leaf = at.node;
  path.parameter = graph.parameter[at.node];
  return path;
}

at::Tensor pull_back(const Graph& graph, const Path& path, at::Tensor grads) {
  for (const Target& at : path.steps) {
    const Target next = graph.target(at.node, 0);
    const Shape& shape = graph.slots[next.node][next.slot];
    Step step{*graph.nodes[at.node], at.slot, {grads.size(0)}};
    step.below.insert(step.below.end(), shape.begin(), shape.end());
    grads = step_rules().at(typeid(step.node)).pull(step, grads);
  }
  return grads;
}

}  // namespace ghostgrad::graph
