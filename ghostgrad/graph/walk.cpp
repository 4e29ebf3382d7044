// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/walk.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/variable.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/graph/pure.h"

namespace ghostgrad::graph {
namespace {

void check_losses(const at::Tensor& losses) {
  const std::string remedy =
      "pass one loss per example: a 1-D floating point tensor [B] computed from tracked parameters (reduction=none, then sum or mean over "
      "every axis but the examples')";
  if (!losses.defined()) throw base::InvalidArgument("losses", "must be a tensor", "an undefined tensor", remedy);
  if (losses.dim() != 1) throw base::InvalidArgument("losses", "must have shape [B]", "shape " + to_string(Shape(losses.sizes())), remedy);
  if (losses.numel() == 0)
    throw base::InvalidArgument("losses", "must hold at least one example", "shape [0]", "leave empty physical batches out");
  if (!losses.is_floating_point())
    throw base::InvalidArgument("losses", "must be real floating point", toString(losses.scalar_type()), remedy);
  if (!losses.requires_grad() || !losses.grad_fn()) {
    throw base::InvalidArgument("losses", "must have an autograd graph", "a tensor without one",
                                "compute them outside no_grad from parameters that require gradients");
  }
}

/// The depth-first walk: fills nodes, ids, parameter; returns post-order.
class Walker {
 public:
  Walker(Graph& graph, const std::vector<at::Tensor>& parameters) : graph_(graph) {
    for (size_t i = 0; i < parameters.size(); ++i) index_of_[parameters[i].unsafeGetTensorImpl()] = static_cast<int>(i);
  }

  std::vector<int> run(const NodePtr& root) {
    visit(root);
    while (!stack_.empty()) {
      const auto [id, edge] = stack_.back();
      const Node& node = *graph_.nodes[id];
      if (edge == node.num_outputs()) {
        post_order_.push_back(id);
        stack_.pop_back();
        continue;
      }
      ++stack_.back().second;
      const auto& next = node.next_edge(edge).function;
      if (next) visit(next);
    }
    return std::move(post_order_);
  }

 private:
  void visit(const NodePtr& node) {
    const auto [it, fresh] = graph_.ids.try_emplace(node.get(), static_cast<int>(graph_.nodes.size()));
    if (!fresh) return;
    graph_.nodes.push_back(node);
    int parameter = -1;
    if (const auto* leaf = dynamic_cast<const torch::autograd::AccumulateGrad*>(node.get())) {
      const auto found = index_of_.find(leaf->variable.unsafeGetTensorImpl());
      if (found != index_of_.end()) parameter = found->second;
    }
    graph_.parameter.push_back(parameter);
    stack_.emplace_back(it->second, 0u);
  }

  Graph& graph_;
  std::unordered_map<const at::TensorImpl*, int> index_of_;
  std::vector<std::pair<int, uint32_t>> stack_;
  std::vector<int> post_order_;
};

bool below_reaches(const Graph& graph, int id) {
  for (const auto& edge : graph.nodes[id]->next_edges()) {
    if (edge.function && graph.reaches[graph.ids.at(edge.function.get())]) return true;
  }
  return false;
}

bool below_is_parameter_only(const Graph& graph, int id) {
  const auto& edges = graph.nodes[id]->next_edges();
  return !edges.empty() && std::all_of(edges.begin(), edges.end(), [&](const Edge& edge) {
    return edge.function && graph.parameter_only[graph.ids.at(edge.function.get())];
  });
}

std::vector<Shape> slot_shapes(const Node& node) {
  std::vector<Shape> shapes(node.num_inputs());
  for (uint32_t slot = 0; slot < node.num_inputs(); ++slot) {
    for (const auto& size : node.input_metadata(slot).shape_as_dim_vector()) shapes[slot].push_back(size.expect_int());
  }
  return shapes;
}

}  // namespace

Target Graph::target(int node, int edge) const {
  const Edge& next = nodes[node]->next_edge(edge);
  if (!next.function) return {};
  return {ids.at(next.function.get()), static_cast<int>(next.input_nr)};
}

int Graph::edges(int node) const { return static_cast<int>(nodes[node]->num_outputs()); }

std::string Graph::describe(int node) const {
  const auto& shapes = slots[node];
  return fmt::format("{} {}", short_name(*nodes[node]), shapes.empty() ? "" : to_string(shapes[0]));
}

Graph walk(const at::Tensor& losses, const std::vector<at::Tensor>& parameters) {
  check_losses(losses);
  Graph graph;
  graph.examples = losses.numel();
  const Edge root = torch::autograd::impl::gradient_edge(losses);
  graph.root_slot = static_cast<int>(root.input_nr);
  auto post_order = Walker(graph, parameters).run(root.function);
  graph.reaches.assign(graph.nodes.size(), 0);
  graph.parameter_only.assign(graph.nodes.size(), 0);
  graph.slots.resize(graph.nodes.size());
  for (int id : post_order) {
    const bool leaf = graph.parameter[id] >= 0;
    graph.reaches[id] = leaf || below_reaches(graph, id);
    graph.parameter_only[id] = leaf || (graph.reaches[id] && below_is_parameter_only(graph, id) && is_pure(*graph.nodes[id]));
    if (graph.reaches[id]) graph.slots[id] = slot_shapes(*graph.nodes[id]);
  }
  graph.parameter_only[0] = 0;  // the losses are the examples', whatever they are made of
  std::reverse(post_order.begin(), post_order.end());
  graph.consumers_first = std::move(post_order);
  return graph;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

}  // namespace ghostgrad::graph
