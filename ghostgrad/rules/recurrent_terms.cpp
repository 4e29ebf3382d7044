// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/recurrent_terms.h"

#include "ghostgrad/graph/moves.h"
#include "ghostgrad/graph/packed.h"
#include "ghostgrad/rules/examples_first.h"
#include "ghostgrad/rules/linear_term.h"

namespace ghostgrad::rules {
namespace {

/// An axis of packed rows as one of sequences; nothing where rows of one sequence belong to different examples.
std::optional<graph::Axis> unpacked(const graph::Owners& owners, const graph::Ints& batch_sizes) {
  const std::vector<int64_t> sequences = graph::sequence_of_rows(batch_sizes);
  if (sequences.size() != owners->size()) return std::nullopt;
  graph::Owners by_sequence = graph::into_bins(*owners, sequences.data(), batch_sizes[0]);
  if (!by_sequence) return std::nullopt;
  return graph::Axis{1, 1, std::move(by_sequence), batch_sizes[0]};
}

}  // namespace

std::optional<graph::Axis> sequences_of(const CallSite& call, int dim, const graph::Ints& batch_sizes) {
  std::optional<graph::Axis> found;
  graph::Owners owners;
  for (int slot = kStates; slot <= kLastCell; ++slot) {
    if (!call.grads[slot].defined()) continue;
    auto axis = call.axis_along(slot == kStates ? dim : call.grads[slot].dim() - 2, slot);
    if (!axis) return std::nullopt;
    graph::Owners here = graph::owners_along(*axis, call.graph.slots[call.call.node][slot], call.examples());
    if (slot == kStates && !batch_sizes.empty()) {
      axis = unpacked(here, batch_sizes);
      if (!axis) return std::nullopt;
      here = axis->owners;
    }
    if (owners && *owners != *here) return std::nullopt;
    owners = here;
    axis->dim = 1;
    if (!found) found = axis;
  }
  return found;
}

Terms layer_terms(const CallSite& call, const graph::Axis& sequences, const LayerEdges& edges, const RecurrentLayer& layer,
                  const RecurrentMaps& maps) {
  Terms terms;
  const auto by_example = [&](const at::Tensor& steps) { return examples_first(steps, sequences, call.examples(), 2); };
  const auto wants = [&](int edge) { return edge != 0 && call.wants(edge); };
  const auto factor_of = [&](const at::Tensor& steps) {
    return std::make_shared<CommonFactor>(by_example(steps).unsqueeze(1), layer.product);
  };
  const auto add_map = [&](int edge, const std::shared_ptr<CommonFactor>& left, const at::Tensor& steps) {
    if (wants(edge)) terms.emplace_back(edge, std::make_unique<LinearTerm>(left, by_example(steps).unsqueeze(1), call.shape(edge)));
  };
  const auto add_bias = [&](int edge, const at::Tensor& grads) {
    if (wants(edge)) terms.emplace_back(edge, std::make_unique<DenseTerm>(grads, call.shape(edge)));
  };
  const bool same = maps.state_sums.is_same(maps.input_sums);
  const auto inputs = factor_of(maps.input_sums), states = same ? inputs : factor_of(maps.state_sums);  // [B, 1, T N / B, gates h]
  add_map(edges.input_weight, inputs, layer.inputs);
  add_map(edges.state_weight, states, maps.states_before);
  if (wants(edges.input_bias) || wants(edges.state_bias)) {
    const at::Tensor of_inputs = inputs->values().sum({1, 2}), of_states = same ? of_inputs : states->values().sum({1, 2});
    add_bias(edges.input_bias, of_inputs);
    add_bias(edges.state_bias, of_states);
  }
  if (layer.projection.defined()) add_map(edges.projection, factor_of(maps.arriving), maps.unprojected);
  return terms;
}

at::Tensor in_order(const at::Tensor& steps, bool reverse) { return reverse && steps.defined() ? steps.flip(0) : steps; }

}  // namespace ghostgrad::rules
