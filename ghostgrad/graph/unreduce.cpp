// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/unreduce.h"

#include <optional>
#include <string>
#include <unordered_set>

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
#include <ATen/core/Reduction.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/generated/Functions.h>
#include <torch/csrc/autograd/variable.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/graph/autograd.h"
#include "ghostgrad/graph/propagate.h"
#include "ghostgrad/graph/walk.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

const char* const kRemedy =
    "pass one loss per example, a tensor [B]: reduction=none, then sum or mean over every axis but the examples' (token models: each "
    "example's "
    "own mean over its own tokens); leave loss scaling and gradient accumulation factors out";

[[noreturn]] void refuse(const std::string& got) {
  throw base::InvalidArgument("losses", "must have shape [B], or be a plain mean or sum over examples", got, kRemedy);
}

Shape shape_below(const Edge& edge) {
  Shape shape;
  for (const auto& size : edge.function->input_metadata(edge.input_nr).shape_as_dim_vector()) shape.push_back(size.expect_int());
  return shape;
}

/// A tensor of this value at this place in the graph.
at::Tensor rejoined(const at::Tensor& value, const Edge& edge) {
  at::Tensor tensor = value.detach();
  if (edge.function) torch::autograd::impl::set_gradient_edge(tensor, edge);
  return tensor;
}

/// Examples and positions that were flattened into one axis cannot be told apart any more: each row would count as an example. Then somewhere
/// below the losses a view makes several axes of the one that was taken for the examples'.
void refuse_flattened(const Graph& graph, const Ownerships& owners) {
  static const std::unordered_set<std::string> views = {"ViewBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0"};
  for (size_t id = 0; id < graph.nodes.size(); ++id) {
    const int node = static_cast<int>(id);
    if (owners.slots[id].empty() || !views.count(short_name(*graph.nodes[id]))) continue;
    const Target below = graph.target(node, 0);
    const Ownership& owner = owners.slots[id][0];
    if (owner.kind != Ownership::Kind::strided || !below.defined() || !graph.reaches[below.node]) continue;
    const Shape &here = graph.slots[id][0], &there = graph.slots[below.node][below.slot];
    if (!axis_of(owner, here, graph.examples) || axis_of(owner, there, graph.examples)) continue;
    refuse(fmt::format("a scalar over {} rows that were reshaped from {}: which of them are one example's is not said", graph.examples,
                       to_string(there)));
  }
}

/// Where a model ends: what such an op makes is rearranged by the loss, what it takes by the model.
bool is_of_model(const Graph& graph, int node) {
  static const std::unordered_set<std::string> products = {"MmBackward0",      "AddmmBackward0", "BmmBackward0",
                                                           "BaddbmmBackward0", "MvBackward0",    "ConvolutionBackward0"};
  if (products.count(short_name(*graph.nodes[node]))) return true;
  for (int edge = 0; edge < graph.edges(node); ++edge) {
    const Target below = graph.target(node, edge);
    if (below.defined() && (graph.parameter_only[below.node] || graph.parameter[below.node] >= 0)) return true;
  }
  return false;
}

/// What the loss does to the scores of the model must leave their first axis where it is. A mask that picks tokens, a transpose, a batch of
/// one that is squeezed away: each puts another axis there, whose rows would count as examples.
void refuse_rearranged(const Graph& graph, const Ownerships& owners) {
  static const std::unordered_set<std::string> moves = {"ViewBackward0",
                                                        "UnsafeViewBackward0",
                                                        "ReshapeAliasBackward0",
                                                        "SqueezeBackward0",
                                                        "SqueezeBackward1",
                                                        "SqueezeBackward2",
                                                        "TransposeBackward0",
                                                        "TBackward0",
                                                        "PermuteBackward0",
                                                        "SelectBackward0",
                                                        "SliceBackward0",
                                                        "IndexBackward0",
                                                        "IndexSelectBackward0",
                                                        "MaskedSelectBackward0",
                                                        "PackPaddedSequenceBackward0",
                                                        "CatBackward0",
                                                        "StackBackward0",
                                                        "UnbindBackward0"};
  std::vector<char> in_loss(graph.nodes.size(), 0);
  in_loss[0] = 1;
  for (const int node : graph.consumers_first) {
    if (!in_loss[node] || is_of_model(graph, node)) continue;
    for (int edge = 0; edge < graph.edges(node); ++edge) {
      const Target below = graph.target(node, edge);
      if (!below.defined() || !graph.reaches[below.node]) continue;
      const auto axis = axis_of(owners.slots[below.node][below.slot], graph.slots[below.node][below.slot], graph.examples);
      const bool first = axis && axis->dim == 0 && !axis->owners;
      if (!first && moves.count(short_name(*graph.nodes[node])))
        refuse("a scalar over rows that " + short_name(*graph.nodes[node]) + " takes from another axis than the first");
      in_loss[below.node] = first && axis->size == graph.examples;
    }
  }
}

/// losses [B, ...] -> [B]
at::Tensor per_example(const at::Tensor& losses, int64_t reduction) {
  if (losses.dim() < 2) return losses;
  const at::Tensor rows = losses.flatten(1);
  return reduction == at::Reduction::Mean ? rows.mean(1) : rows.sum(1);
}

/// The mean or sum of losses [B], whose values are not known here.
at::Tensor of_all(const Node& node, const at::TensorOptions& options) {
  const Edge& below = node.next_edge(0);
  const Shape shape = below.function ? shape_below(below) : Shape();
  if (shape.size() != 1) refuse("a scalar over values of shape " + to_string(shape));
  return rejoined(at::zeros(shape, options), below);
}

void check_terms(const at::Tensor& value, int smallest) {
  if (value.dim() < smallest) refuse("the loss of a single example without a batch axis");
}

/// One row that stands for all: what broadcasting made of another shape.
bool is_repeated(const at::Tensor& value) { return value.dim() > 0 && value.size(0) > 1 && value.stride(0) == 0; }

/// Inputs [B, 1] and targets [B] broadcast to [B, B], where each row is compared with the targets of all.
void check_pairs(const at::Tensor& input, const at::Tensor& target) {
  check_terms(input, 1);
  if (input.sizes() == target.sizes() && !is_repeated(input) && !is_repeated(target)) return;
  refuse(fmt::format("a scalar over inputs and targets that were broadcast against each other, to {}",
                     to_string(Shape(at::infer_size(input.sizes(), target.sizes())))));
}

/// The terms of a loss of inputs and targets of one shape: `terms` is the same op without reduction.
template <class N, class F>
at::Tensor of_pairs(N& node, const at::Tensor& input, const at::Tensor& target, const F& terms) {
  check_pairs(input, target);
  const Edge to_target = node.num_outputs() > 1 ? node.next_edge(1) : Edge();
  return per_example(terms(rejoined(input, node.next_edge(0)), rejoined(target, to_target)), node.reduction);
}

template <class N>
at::Tensor of_classes(N& node, const NodePtr& self) {
  const at::Tensor input = node.self_.unpack(self), target = node.target_.unpack(self), weight = node.weight_.unpack(self);
  check_terms(input, 2);
  if (node.reduction == at::Reduction::Mean && weight.defined()) refuse("a mean normalised by the class weights of the batch");
  const int64_t ignored = node.ignore_index.expect_int();
  if (node.reduction == at::Reduction::Mean && target.eq(ignored).any().template item<bool>())
    refuse("a mean normalised by the number of targets in the batch that are not ignored");
  return per_example(at::nll_loss_nd(rejoined(input, node.next_edge(0)), target, weight, at::Reduction::None, ignored), node.reduction);
}

template <class N>
at::Tensor of_binary(N& node, const NodePtr& self) {
  const at::Tensor weight = node.weight_.unpack(self);
  if (weight.defined()) refuse("a reduction with weights, which may be one example's or all examples'");
  return of_pairs(node, node.self_.unpack(self), node.target_.unpack(self), [&](const at::Tensor& input, const at::Tensor& target) {
    if constexpr (requires { node.pos_weight_; }) {
      return at::binary_cross_entropy_with_logits(input, target, {}, node.pos_weight_.unpack(self), at::Reduction::None);
    } else {
      return at::binary_cross_entropy(input, target, {}, at::Reduction::None);
    }
  });
}

at::Tensor taken_apart(const at::Tensor& loss, const NodePtr& self) {
  const at::TensorOptions options = loss.options().requires_grad(false);
  if (auto* node = dynamic_cast<MseLossBackward0*>(self.get())) {
    return of_pairs(*node, node->self_.unpack(self), node->target_.unpack(self),
                    [](const at::Tensor& input, const at::Tensor& target) { return at::mse_loss(input, target, at::Reduction::None); });
  }
  if (auto* node = dynamic_cast<NllLossBackward0*>(self.get())) return of_classes(*node, self);
  if (auto* node = dynamic_cast<NllLoss2DBackward0*>(self.get())) return of_classes(*node, self);
  if (auto* node = dynamic_cast<BinaryCrossEntropyBackward0*>(self.get())) return of_binary(*node, self);
  if (auto* node = dynamic_cast<BinaryCrossEntropyWithLogitsBackward0*>(self.get())) return of_binary(*node, self);
  static const std::unordered_set<std::string> plain = {"MeanBackward0", "MeanBackward1", "SumBackward0", "SumBackward1"};
  const std::string name = short_name(*self);
  if (is_native(*self) && plain.count(name)) return of_all(*self, options);
  refuse("a scalar made by " + name);
}

}  // namespace

at::Tensor unreduced(const at::Tensor& losses, const std::vector<at::Tensor>& parameters) {
  if (!losses.defined() || losses.dim() != 0 || !losses.grad_fn()) return losses;
  const at::AutoGradMode grad(true);
  at::Tensor apart = taken_apart(losses, losses.grad_fn());
  if (!apart.grad_fn() || apart.dim() != 1 || apart.size(0) < 2) return apart;  // one row is one example
  const Graph graph = walk(apart, parameters);
  const Ownerships owners = propagate(graph);
  refuse_flattened(graph, owners);
  refuse_rearranged(graph, owners);
  return apart;
}

}  // namespace ghostgrad::graph
