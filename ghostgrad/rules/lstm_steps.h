// SPDX-License-Identifier: Apache-2.0
// The recurrence of an LSTM on the CPU, in loops of its own: one pass over memory where ATen takes a dozen, most of them once a step.
//
//     forwards     c_t = f c_{t-1} + i g, and what the gradients are multiplied by:
//                  i: g i (1 - i)    f: c_{t-1} f (1 - f)    g: i (1 - g^2)    o: tanh(c_t) o (1 - o)    to the cell: o (1 - tanh(c_t)^2)
//     backwards    e_t = dh_t + d_{t+1} U       k_t = f_{t+1} k_{t+1} + e_t o (1 - tanh(c_t)^2)       d_t: that times k_t, of o times e_t
//
//     if (has_lstm_steps(layer)) return maps_by_lstm_steps(layer, grads);
//
// Guarantee: what recurrent_layer.cpp gives for such a layer, to rounding; a NaN of one sequence stays with it.
#pragma once

#include "ghostgrad/rules/recurrent_layer.h"

namespace ghostgrad::rules {

/// An lstm without projection on the CPU, in float32 or float64, all of whose sequences take part in every step.
[[nodiscard]] bool has_lstm_steps(const RecurrentLayer& layer);

/// Requires has_lstm_steps. `arriving` and `unprojected` are not given: only a projection asks for them.
[[nodiscard]] RecurrentMaps maps_by_lstm_steps(const RecurrentLayer& layer, const RecurrentGrads& grads);

/// tanh in float32 to 4 units in the last place, made of operations that compilers vectorise; as the standard library's in float64.
[[nodiscard]] float quick_tanh(float x);

}  // namespace ghostgrad::rules
