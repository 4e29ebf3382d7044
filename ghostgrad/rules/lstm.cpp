// SPDX-License-Identifier: Apache-2.0
// LSTM layers that run as one fused op: one direction of one layer, over all steps.
//
//     a_t = W x_t + b + U h_{t-1} + b'      i, f, o = sigmoid(a_t), g = tanh(a_t)      c_t = f c_{t-1} + i g      h_t = o tanh(c_t)
//
//     W: G_i = sum_t d_t x_t^T      U: G_i = sum_t d_t h_{t-1}^T      b, b': G_i = sum_t d_t            d_t: the gradient of a_t
//
// The op keeps neither a_t nor d_t. The gates are computed again from what it saved, for all steps at once, and d_t follows from the
// recurrence of the cell backwards in time [Hochreiter97; gates as in Gers00]. Then the layer is a linear map over positions, one a step.
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/rules/examples_first.h"
#include "ghostgrad/rules/linear_term.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {
namespace {

using torch::autograd::generated::MkldnnRnnLayerBackward0;

enum Edge { kInputWeight = 1, kStateWeight = 2, kInputBias = 3, kStateBias = 4 };
enum Slot { kOutput = 0, kLastState = 1, kLastCell = 2 };

/// A layer of N sequences of T steps, with the steps in the order in which it took them.
struct Layer {
  at::Tensor inputs;         // [T, N, d]
  at::Tensor states_before;  // h_{t-1} [T, N, h]
  at::Tensor first_cell;     // [N, h]
  at::Tensor input_weight, state_weight, input_bias, state_bias;
};

/// What the layer computed again: [T, N, h] each.
struct Gates {
  at::Tensor input, forget, candidate, output;
  at::Tensor cells_before, tanh_of_cells;
};

at::Tensor in_order(const at::Tensor& steps, bool reverse) { return reverse ? steps.flip(0) : steps; }

Layer layer_of(MkldnnRnnLayerBackward0& node, const graph::NodePtr& self) {
  const auto unpack = [&](const torch::autograd::SavedVariable& saved) { return at_least_float(saved.unpack(self)); };
  const at::Tensor states = in_order(unpack(node.result0_), node.reverse);
  Layer layer{in_order(unpack(node.input_), node.reverse),
              at::cat({unpack(node.hx__).unsqueeze(0), states.narrow(0, 0, states.size(0) - 1)}),
              unpack(node.cx__),
              unpack(node.weight0_),
              unpack(node.weight1_),
              {},
              {}};
  if (node.has_biases) {
    layer.input_bias = unpack(node.weight2_);
    layer.state_bias = unpack(node.weight3_);
  }
  return layer;
}

Gates gates_of(const Layer& layer) {
  const at::Tensor sums = at::linear(layer.inputs, layer.input_weight, layer.input_bias)
                              .add_(at::linear(layer.states_before, layer.state_weight, layer.state_bias));
  const auto parts = sums.chunk(4, 2);
  Gates gates{parts[0].sigmoid(), parts[1].sigmoid(), parts[2].tanh(), parts[3].sigmoid(), {}, {}};
  const int64_t steps = layer.inputs.size(0);
  const at::Tensor cells = at::empty({steps + 1, layer.first_cell.size(0), layer.first_cell.size(1)}, sums.options());
  cells[0].copy_(layer.first_cell);
  cells.narrow(0, 1, steps).copy_(gates.input * gates.candidate);
  for (int64_t t = 0; t < steps; ++t) cells[t + 1].addcmul_(gates.forget[t], cells[t]);
  gates.cells_before = cells.narrow(0, 0, steps);
  gates.tanh_of_cells = cells.narrow(0, 1, steps).tanh();
  return gates;
}

/// x (1 - x): the derivative of the sigmoid whose value is x.
at::Tensor sigmoid_slope(const at::Tensor& x) { return x * (1 - x); }

at::Tensor or_zeros(const at::Tensor& grads, const at::Tensor& like) {
  return grads.defined() ? at_least_float(grads) : at::zeros_like(like);
}

/// d_t for all steps, gate after gate: [T, N, 4 h]
at::Tensor gradients_of_sums(const Layer& layer, const Gates& gates, const std::vector<at::Tensor>& grads) {
  const at::Tensor to_cell = gates.output * (1 - gates.tanh_of_cells.square());
  const at::Tensor of_cell = at::cat({gates.candidate * sigmoid_slope(gates.input), gates.cells_before * sigmoid_slope(gates.forget),
                                      gates.input * (1 - gates.candidate.square())},
                                     2);  // what a gradient of the cell is multiplied by
  const at::Tensor of_output = gates.tanh_of_cells * sigmoid_slope(gates.output);
  at::Tensor state = or_zeros(grads[kLastState], layer.first_cell);
  const at::Tensor cell = or_zeros(grads[kLastCell], layer.first_cell).clone();
  const int64_t hidden = state.size(1);
  at::Tensor all = at::cat({of_cell, of_output}, 2);
  for (int64_t t = all.size(0) - 1; t >= 0; --t) {
    const at::Tensor arriving = grads[kOutput].defined() ? state + grads[kOutput][t] : state;
    cell.addcmul_(arriving, to_cell[t]);
    at::Tensor step = all[t];
    step.narrow(1, 0, 3 * hidden).unflatten(1, {3, hidden}).mul_(cell.unsqueeze(1));
    step.narrow(1, 3 * hidden, hidden).mul_(arriving);
    state = at::mm(step, layer.state_weight);
    cell.mul_(gates.forget[t]);
  }
  return all;
}

/// Where the examples are among the sequences [T, N, ...]: as all gradients that flow in say alike, or nothing.
std::optional<graph::Axis> sequences_of(const CallSite& call) {
  std::optional<graph::Axis> found;
  graph::Owners owners;
  for (int slot = kOutput; slot <= kLastCell; ++slot) {
    if (!call.grads[slot].defined()) continue;
    auto axis = call.axis_along(call.grads[slot].dim() - 2, slot);
    if (!axis) return std::nullopt;
    const graph::Owners here = graph::owners_along(*axis, call.graph.slots[call.call.node][slot], call.examples());
    if (owners && *owners != *here) return std::nullopt;
    owners = here;
    axis->dim = 1;
    if (!found) found = axis;
  }
  return found;
}

Terms lstm(const CallSite& call) {
  auto& node = call.node<MkldnnRnnLayerBackward0>();
  constexpr int64_t kLstm = 2;  // of the library's kinds of cell
  const auto sequences = sequences_of(call);
  Terms terms;
  if (node.mode != kLstm || !node.batch_sizes.empty() || !sequences) return terms;
  const Layer layer = layer_of(node, call.self());
  std::vector<at::Tensor> grads = call.grads;
  if (grads[kOutput].defined()) grads[kOutput] = in_order(at_least_float(grads[kOutput]), node.reverse);
  const auto by_example = [&](const at::Tensor& steps) { return examples_first(steps, *sequences, call.examples(), 2); };
  const at::Tensor left = by_example(gradients_of_sums(layer, gates_of(layer), grads));  // [B, T * N / B, 4 h]
  const auto add_map = [&](int edge, const at::Tensor& factor) {
    if (!call.wants(edge)) return;
    terms.emplace_back(edge, std::make_unique<LinearTerm>(left.unsqueeze(1), by_example(factor).unsqueeze(1), call.shape(edge)));
  };
  add_map(kInputWeight, layer.inputs);
  add_map(kStateWeight, layer.states_before);
  for (int edge : {kInputBias, kStateBias}) {
    if (call.wants(edge)) terms.emplace_back(edge, std::make_unique<DenseTerm>(left.sum(1), call.shape(edge)));
  }
  return terms;
}

const RegisterRule registered{{"MkldnnRnnLayerBackward0", "LSTM", "W x_t + b + U h_{t-1} + b', for all steps at once"}, lstm};

}  // namespace
}  // namespace ghostgrad::rules
