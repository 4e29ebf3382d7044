// SPDX-License-Identifier: Apache-2.0
// What the fused recurrent ops have in common: where their sequences are, and the terms of one direction of one layer.
#pragma once

#include <optional>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/rules/recurrent_layer.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {

/// Gradients of a fused op: of all h_t, of the last, of the last c_t.
enum RecurrentSlot { kStates = 0, kLastState = 1, kLastCell = 2 };

/// The edges of the parameters of one direction of one layer; 0: it has none such.
struct LayerEdges {
  int input_weight = 0, state_weight = 0, input_bias = 0, state_bias = 0, projection = 0;
};

/// Where the examples are among the sequences of [T, N, ...]: as all gradients that flow in say alike, or nothing. `dim`: that of the
/// sequences in the states; packed ones (batch_sizes) have their rows there.
[[nodiscard]] std::optional<graph::Axis> sequences_of(const CallSite& call, int dim, const graph::Ints& batch_sizes);

[[nodiscard]] Terms layer_terms(const CallSite& call, const graph::Axis& sequences, const LayerEdges& edges, const RecurrentLayer& layer,
                                const RecurrentMaps& maps);

/// The steps [T, ...] in the order in which a direction takes them, or back.
[[nodiscard]] at::Tensor in_order(const at::Tensor& steps, bool reverse);

}  // namespace ghostgrad::rules
