// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/capture.h"

#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/variable.h>

namespace ghostgrad::graph {
namespace {

std::vector<at::Tensor> execute(const Edge& root, const at::Tensor& grad, const torch::autograd::edge_list& outputs) {
  if (outputs.empty()) return {};
  constexpr bool keep_graph = true, create_graph = false, accumulate = false;
  return torch::autograd::Engine::get_default_engine().execute({root}, {grad}, keep_graph, create_graph, accumulate, outputs);
}

}  // namespace

std::vector<at::Tensor> capture(const at::Tensor& losses, const at::Tensor& root, const std::vector<Target>& where, const Graph& graph) {
  torch::autograd::edge_list outputs;
  outputs.reserve(where.size());
  for (const auto& target : where) outputs.emplace_back(graph.nodes[target.node], target.slot);
  return execute(torch::autograd::impl::gradient_edge(losses), root, outputs);
}

std::vector<at::Tensor> pull_back_by_engine(const Graph& graph, const Target& entry, const at::Tensor& grad,
                                            const std::vector<int>& leaves) {
  torch::autograd::edge_list outputs;
  for (int leaf : leaves) outputs.emplace_back(graph.nodes[leaf], 0);
  return execute(Edge(graph.nodes[entry.node], entry.slot), grad, outputs);
}

std::vector<at::Tensor> gradients(const at::Tensor& losses, const at::Tensor& root, const std::vector<at::Tensor>& parameters) {
  torch::autograd::edge_list outputs;
  for (const auto& parameter : parameters) outputs.push_back(torch::autograd::impl::gradient_edge(parameter));
  return execute(torch::autograd::impl::gradient_edge(losses), root, outputs);
}

}  // namespace ghostgrad::graph
