// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/recurrent_layer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/zeros_like.h>

#include "ghostgrad/rules/lstm_steps.h"

namespace ghostgrad::rules {
namespace {

/// Number of sequences that take part in a step.
int64_t taking_part(const RecurrentLayer& layer, int64_t step) { return layer.active.empty() ? layer.inputs.size(1) : layer.active[step]; }

/// Rows of a step that take no part.
at::Tensor idle_rows(const RecurrentLayer& layer, const at::Tensor& rows, int64_t step) {
  const int64_t active = taking_part(layer, step);
  return rows.narrow(0, active, rows.size(0) - active);
}

/// h_{t-1} [T, N, p]. A sequence that takes part later than others starts from its first state too.
at::Tensor states_before_of(const RecurrentLayer& layer) {
  const int64_t steps = layer.states.size(0);
  at::Tensor before = at::cat({layer.first_state.unsqueeze(0), layer.states.narrow(0, 0, steps - 1)});
  if (layer.active.empty()) return before;
  for (int64_t t = 1; t < steps; ++t) idle_rows(layer, before[t], t - 1).copy_(idle_rows(layer, layer.first_state, t - 1));
  return before;
}

/// c_0 .. c_T [T + 1, N, h], from what is added in each step. A sequence that takes no part keeps its cell.
at::Tensor cells_of(const RecurrentLayer& layer, const at::Tensor& forget, const at::Tensor& added) {
  at::Tensor cells = at::cat({layer.first_cell.unsqueeze(0), added});
  for (int64_t t = 0; t < added.size(0); ++t) {
    cells[t + 1].addcmul_(forget[t], cells[t]);
    if (!layer.active.empty()) idle_rows(layer, cells[t + 1], t).copy_(idle_rows(layer, cells[t], t));
  }
  return cells;
}

/// What the recurrence multiplies by, computed for all steps at once: [T, N, ...] each.
struct Slopes {
  at::Tensor sums;            // d'_t over what arrives: gate after gate [T, N, gates h]. Of an lstm's i, f and g: over the cell's gradient
  at::Tensor candidate_sums;  // d_t over what arrives, of the gate n of a gru, whose d'_t is another
  at::Tensor to_cell;         // from o tanh(c_t) into c_t
  at::Tensor carried;         // into what came before, past the gates: z from h_t, f from c_t
  at::Tensor unprojected;     // o tanh(c_t)
};

/// `a`: a_t of all steps [T, N, 4 h], which become the gates.
Slopes slopes_of_lstm(const RecurrentLayer& layer, const at::Tensor& a) {
  const int64_t steps = a.size(0), hidden = a.size(2) / 4;
  const auto gates = a.chunk(4, 2);
  const at::Tensor &input = gates[0], &forget = gates[1], &candidate = gates[2], &output = gates[3];
  a.narrow(2, 0, 2 * hidden).sigmoid_();
  candidate.tanh_();
  output.sigmoid_();
  const at::Tensor cells = cells_of(layer, forget, input * candidate);
  const at::Tensor tanh = cells.narrow(0, 1, steps).tanh();
  const at::Tensor sums = at::empty_like(a);
  auto parts = sums.chunk(4, 2);
  at::sigmoid_backward_out(parts[0], candidate, input);
  at::sigmoid_backward_out(parts[1], cells.narrow(0, 0, steps), forget);
  at::tanh_backward_out(parts[2], input, candidate);
  at::sigmoid_backward_out(parts[3], tanh, output);
  return {.sums = sums,
          .candidate_sums = {},
          .to_cell = at::tanh_backward(output, tanh),
          .carried = forget,
          .unprojected = layer.projection.defined() ? output * tanh : at::Tensor()};
}

Slopes slopes_of_gru(const at::Tensor& states_before, const at::Tensor& from_inputs, const at::Tensor& from_states) {
  const auto input = from_inputs.chunk(3, 2), state = from_states.chunk(3, 2);
  const at::Tensor reset = (input[0] + state[0]).sigmoid_(), update = (input[1] + state[1]).sigmoid_();
  const at::Tensor candidate = (input[2] + reset * state[2]).tanh_();
  const at::Tensor of_candidate = at::tanh_backward(1 - update, candidate);
  return {.sums = at::cat({at::sigmoid_backward(of_candidate * state[2], reset), at::sigmoid_backward(states_before - candidate, update),
                           of_candidate * reset},
                          2),
          .candidate_sums = of_candidate,
          .to_cell = {},
          .carried = update,
          .unprojected = {}};
}

Slopes slopes_of(const RecurrentLayer& layer, const at::Tensor& states_before) {
  if (layer.cell == Cell::relu) return {layer.states.gt(0).to(layer.states.scalar_type()), {}, {}, {}, {}};
  if (layer.cell == Cell::tanh) return {1 - layer.states.square(), {}, {}, {}, {}};
  const at::Tensor from_inputs = at::linear(layer.inputs, layer.input_weight, layer.input_bias);
  const at::Tensor from_states = at::linear(states_before, layer.state_weight, layer.state_bias);
  if (layer.cell == Cell::gru) return slopes_of_gru(states_before, from_inputs, from_states);
  return slopes_of_lstm(layer, from_inputs.add_(from_states));
}

at::Tensor or_zeros(const at::Tensor& grads, const at::Tensor& like) {
  return grads.defined() ? grads.to(like.scalar_type()).clone() : at::zeros_like(like);
}

/// The recurrence backwards in time, in place: what is multiplied by becomes the gradients.
class Backwards {
 public:
  Backwards(const RecurrentLayer& layer, const RecurrentGrads& grads)
      : layer_(layer),
        states_before_(states_before_of(layer)),
        slopes_(slopes_of(layer, states_before_)),
        arriving_(or_zeros(grads.outputs, layer.states)),
        state_(or_zeros(grads.last_state, layer.first_state)) {
    if (layer.cell == Cell::lstm) cell_ = or_zeros(grads.last_cell, layer.first_cell);
  }

  RecurrentMaps run() {
    for (int64_t t = layer_.inputs.size(0) - 1; t >= 0; --t) {
      step(t);
      if (layer_.active.empty()) continue;
      for (const at::Tensor& maps : {slopes_.sums, arriving_}) idle_rows(layer_, maps[t], t).zero_();
    }
    at::Tensor input_sums = slopes_.sums;
    if (layer_.cell == Cell::gru) {
      const int64_t shared = 2 * arriving_.size(2);
      input_sums = at::cat({slopes_.sums.narrow(2, 0, shared), slopes_.candidate_sums.mul_(arriving_)}, 2);
    }
    return {input_sums, slopes_.sums, states_before_, arriving_, slopes_.unprojected};
  }

 private:
  void step(int64_t t) {
    const auto of_active = [&](const at::Tensor& rows) { return rows.narrow(0, 0, taking_part(layer_, t)); };
    at::Tensor state = of_active(state_);
    const at::Tensor arriving = of_active(arriving_[t]).add_(state), sums = of_active(slopes_.sums[t]);
    const at::Tensor hidden = layer_.projection.defined() ? at::mm(arriving, layer_.projection) : arriving;
    const int64_t units = hidden.size(1);
    if (layer_.cell == Cell::lstm) {
      const at::Tensor cell = of_active(cell_).addcmul_(hidden, of_active(slopes_.to_cell[t]));
      sums.narrow(1, 0, 3 * units).unflatten(1, {3, units}).mul_(cell.unsqueeze(1));
      sums.narrow(1, 3 * units, units).mul_(hidden);
      cell.mul_(of_active(slopes_.carried[t]));
    } else {
      sums.unflatten(1, {-1, units}).mul_(hidden.unsqueeze(1));
    }
    at::mm_out(state, sums, layer_.state_weight);
    if (layer_.cell == Cell::gru) state.addcmul_(hidden, of_active(slopes_.carried[t]));
  }

  const RecurrentLayer& layer_;
  at::Tensor states_before_;
  Slopes slopes_;
  at::Tensor arriving_;      // [T, N, p]
  at::Tensor state_, cell_;  // gradients of h_t, c_t from the steps after t
};

}  // namespace

RecurrentMaps maps_by_tensors(const RecurrentLayer& layer, const RecurrentGrads& grads) { return Backwards(layer, grads).run(); }

RecurrentMaps maps_of(const RecurrentLayer& layer, const RecurrentGrads& grads) {
  return has_lstm_steps(layer) ? maps_by_lstm_steps(layer, grads) : maps_by_tensors(layer, grads);
}

}  // namespace ghostgrad::rules
