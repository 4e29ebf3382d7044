// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/fallback.h"

#include <algorithm>

#include <ATen/ExpandUtils.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

namespace ghostgrad::rules {
namespace {

/// The gradients at the node's slots with every element that belongs to another example selected away.
graph::variable_list masked_to(const CallSite& call, const std::vector<at::Tensor>& owners, int64_t example) {
  graph::variable_list masked(call.grads.size());
  for (size_t slot = 0; slot < call.grads.size(); ++slot) {
    if (!call.grads[slot].defined()) continue;
    const at::Tensor grad = call.grads[slot].is_sparse() ? call.grads[slot].to_dense() : call.grads[slot];
    masked[slot] = at::where(owners[slot].eq(example), grad, at::zeros({}, grad.options()));
  }
  return masked;
}

/// What the node returned for an edge, brought to the shape of the value there (the engine would reduce broadcasts).
at::Tensor settle(at::Tensor grad, const Shape& shape, const at::TensorOptions& options) {
  if (!grad.defined()) return at::zeros(shape, options);
  if (grad.is_sparse()) grad = grad.to_dense();
  return grad.sizes() == at::IntArrayRef(shape) ? grad : at::sum_to(grad, at::IntArrayRef(shape));
}

/// Whether any gradient belongs to this example, as far as the layouts say at once.
bool owns_something(const CallSite& call, int64_t example) {
  using Kind = graph::Ownership::Kind;
  return std::any_of(call.owners.begin(), call.owners.end(),
                     [&](const graph::Ownership& owner) { return owner.kind == Kind::single ? owner.example == example : owner.live(); });
}

at::TensorOptions options_at(const CallSite& call, int edge) {
  const graph::Target below = call.graph.target(call.call.node, edge);
  return call.graph.nodes[below.node]->input_metadata(below.slot).options();
}

}  // namespace

std::vector<at::Tensor> owners_of(const CallSite& call) {
  std::vector<at::Tensor> owners(call.grads.size());
  for (size_t slot = 0; slot < owners.size(); ++slot) {
    if (call.grads[slot].defined()) {
      owners[slot] =
          graph::owner_tensor(call.owners[slot], call.graph.slots[call.call.node][slot], call.examples()).to(call.grads[slot].device());
    }
  }
  return owners;
}

std::vector<at::Tensor> run_node(const CallSite& call, graph::variable_list grads, const std::vector<int>& edges) {
  const auto back = (*call.self())(std::move(grads));
  std::vector<at::Tensor> settled;
  for (const int edge : edges) {
    const auto place = static_cast<size_t>(edge);
    settled.push_back(settle(place < back.size() ? back[place] : at::Tensor(), call.shape(edge), options_at(call, edge)));
  }
  return settled;
}

Terms fallback(const CallSite& call, const std::vector<int>& edges) {
  const auto owners = owners_of(call);
  std::vector<std::vector<at::Tensor>> rows(edges.size());
  for (int64_t example = 0; example < call.examples(); ++example) {
    const bool has_some = owns_something(call, example);
    const auto back = has_some ? run_node(call, masked_to(call, owners, example), edges) : std::vector<at::Tensor>();
    for (size_t k = 0; k < edges.size(); ++k) {
      rows[k].push_back(has_some ? back[k] : at::zeros(call.shape(edges[k]), options_at(call, edges[k])));
    }
  }
  Terms terms;
  for (size_t k = 0; k < edges.size(); ++k) {
    terms.emplace_back(edges[k], std::make_unique<DenseTerm>(at::stack(rows[k]), call.shape(edges[k]), /*isolated=*/false));
  }
  return terms;
}

}  // namespace ghostgrad::rules
