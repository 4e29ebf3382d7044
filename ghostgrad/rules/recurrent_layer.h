// SPDX-License-Identifier: Apache-2.0
// One direction of one recurrent layer, over all steps: what a fused op computed and did not keep.
//
//     a_t = W x_t + b + U h_{t-1} + b'
//     relu, tanh    h_t = relu(a_t), tanh(a_t)
//     lstm          i, f, o = sigmoid(a_t), g = tanh(a_t)     c_t = f c_{t-1} + i g     h_t = P (o tanh(c_t))      [Hochreiter97, Gers00]
//     gru           r, z = sigmoid(a_t)     n = tanh(W x_t + b + r (U h_{t-1} + b'))     h_t = (1 - z) n + z h_{t-1}      [Cho14]
//
// All h_t are known, so the gates are computed again for all steps at once; the gradients d_t of the maps W x_t + b, and d'_t of
// U h_{t-1} + b', follow from the recurrence backwards in time. Then the layer is linear maps over positions, one a step:
//
//     W: G_i = sum_t d_t x_t^T     U: G_i = sum_t d'_t h_{t-1}^T     b: sum_t d_t     b': sum_t d'_t     P: sum_t e_t (o tanh(c_t))^T
//
// with e_t the gradient of h_t. Only a gru has d' other than d.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/rules/product.h"

namespace ghostgrad::rules {

/// Numbered as libtorch's fused ops do.
enum class Cell { relu = 0, tanh = 1, lstm = 2, gru = 3 };

/// N sequences of T steps, in the order in which the layer takes them.
struct RecurrentLayer {
  Cell cell = Cell::lstm;
  at::Tensor inputs;                      // x_t [T, N, d]
  at::Tensor states;                      // h_t [T, N, p]
  at::Tensor first_state;                 // h_0 [N, p]
  at::Tensor first_cell;                  // c_0 [N, h] of an lstm
  at::Tensor input_weight, state_weight;  // W [gates h, d], U [gates h, p]
  at::Tensor input_bias, state_bias;      // b, b' [gates h], or undefined
  at::Tensor projection;                  // P [p, h], or undefined
  /// Of packed sequences, longest first: how many take part in step t, the first ones. Empty: all, always.
  std::vector<int64_t> active;
  /// By the library that ran the layer.
  Product product = plain_product;
};

/// Gradients of the loss. Undefined: none.
struct RecurrentGrads {
  at::Tensor outputs;     // of h_t [T, N, p]
  at::Tensor last_state;  // [N, p]
  at::Tensor last_cell;   // [N, h]
};

/// Gradients are zero where a sequence takes no part.
struct RecurrentMaps {
  at::Tensor input_sums;     // d_t [T, N, gates h]
  at::Tensor state_sums;     // d'_t [T, N, gates h]
  at::Tensor states_before;  // h_{t-1} [T, N, p]
  at::Tensor arriving;       // e_t [T, N, p]
  at::Tensor unprojected;    // o tanh(c_t) [T, N, h] of an lstm
};

/// By the quickest way (lstm_steps.h), or by one that ATen's operations make for every layer.
[[nodiscard]] RecurrentMaps maps_of(const RecurrentLayer& layer, const RecurrentGrads& grads);
[[nodiscard]] RecurrentMaps maps_by_tensors(const RecurrentLayer& layer, const RecurrentGrads& grads);

}  // namespace ghostgrad::rules
