// SPDX-License-Identifier: Apache-2.0
#include "tests/rules/uses.h"

#include "ghostgrad/graph/capture.h"
#include "ghostgrad/graph/propagate.h"

namespace ghostgrad::rules::tests {
namespace {

/// The gradients at all slots of a call; undefined where none flows.
Tensors captured(const Reading& reading, const graph::Ownerships& owners, const at::Tensor& root, int node) {
  Tensors grads(owners.slots[node].size());
  std::vector<graph::Target> where;
  for (size_t slot = 0; slot < grads.size(); ++slot) {
    if (owners.slots[node][slot].live()) where.push_back({node, static_cast<int>(slot)});
  }
  const Tensors found = graph::capture(reading.batch.losses, root, where, reading.graph);
  for (size_t k = 0; k < where.size(); ++k) grads[where[k].slot] = found[k];
  return grads;
}

/// Through a zone that is no simple path: by the engine, one example after the other.
std::map<int, at::Tensor> settle_by_engine(const Reading& reading, const graph::Zone& zone, const at::Tensor& grads) {
  std::map<int, Tensors> rows;
  for (int64_t i = 0; i < grads.size(0); ++i) {
    const auto options = reading.graph.nodes[zone.entry.node]->input_metadata(zone.entry.slot).options();
    const auto back = graph::pull_back_by_engine(reading.graph, zone.entry, grads[i].to(options), zone.leaves);
    for (size_t k = 0; k < zone.leaves.size(); ++k) {
      const int parameter = reading.graph.parameter[zone.leaves[k]];
      rows[parameter].push_back(back[k].defined() ? back[k] : at::zeros_like(reading.batch.parameters[parameter]));
    }
  }
  std::map<int, at::Tensor> settled;
  for (const auto& [parameter, all] : rows) settled[parameter] = at::stack(all);
  return settled;
}

bool is_transposed(graph::Layout seen, const graph::Layout& whole) {
  if (seen.sizes.size() != 2) return false;
  seen.swap(0, 1);
  return seen == whole;
}

}  // namespace

Batch evaluate(const Case& tested, at::ScalarType dtype, Range examples) {
  Batch batch;
  for (const auto& parameter : tested.parameters) batch.parameters.push_back(parameter.to(dtype).clone().requires_grad_(true));
  Tensors inputs;
  for (const auto& input : tested.inputs) {
    const at::Tensor part = input.narrow(0, examples.first, examples.count).clone();
    inputs.push_back(part.is_floating_point() ? part.to(dtype) : part);
  }
  batch.losses = tested.losses(batch.parameters, inputs);
  return batch;
}

Reading read(Batch batch, const at::Tensor& root, const Tamper& tamper, Trials& trials) {
  Reading reading{std::move(batch), {}, {}, {}};
  reading.graph = graph::walk(reading.batch.losses, reading.batch.parameters);
  const graph::Ownerships owners = graph::propagate(reading.graph);
  reading.cut = graph::find_cut(reading.graph, owners, reading.batch.parameters.size());
  const at::NoGradGuard no_grad;
  for (const graph::Call& call : reading.cut.calls) {
    const Tensors grads = captured(reading, owners, root, call.node);
    CallTerms made = terms_of({reading.graph, call, owners.slots[call.node], grads}, trials);
    for (size_t k = 0; k < made.terms.size(); ++k) {
      auto& [edge, term] = made.terms[k];
      for (const auto& zone : call.zones) {
        if (zone.edge != edge) continue;
        reading.uses.push_back(
            {tamper ? tamper(std::move(term)) : std::move(term), &zone, made.by_rule[k] != 0, reading.graph.describe(call.node)});
      }
    }
  }
  return reading;
}

std::map<int, at::Tensor> settle(const Reading& reading, const graph::Zone& zone, const at::Tensor& grads) {
  if (zone.path) return {{zone.path->parameter, graph::pull_back(reading.graph, *zone.path, grads)}};
  return settle_by_engine(reading, zone, grads);
}

TermPtr merge(const Reading& reading, int parameter) {
  std::vector<TermPtr> turned;  // keeps alive what `terms` points to
  std::vector<const Term*> terms;
  for (const Use& use : reading.uses) {
    const auto& path = use.zone->path;
    if (path && path->parameter != parameter) continue;
    if (!path || !path->layout) return nullptr;
    const graph::Layout whole = graph::Layout::of(graph::Shape(reading.batch.parameters[parameter].sizes())), seen = *path->layout;
    const bool transposed = seen != whole && is_transposed(seen, whole);
    if (seen != whole && !transposed) return nullptr;
    if (transposed) {
      turned.push_back(use.term->transposed());
      if (!turned.back()) return nullptr;
    }
    terms.push_back(transposed ? turned.back().get() : use.term.get());
  }
  if (terms.empty()) return nullptr;
  return terms[0]->concatenate({terms.begin() + 1, terms.end()});
}

}  // namespace ghostgrad::rules::tests
