// SPDX-License-Identifier: Apache-2.0
// The fused op of CPUs: one direction of one LSTM layer over all steps, sequences second.
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/rules/recurrent_terms.h"

namespace ghostgrad::rules {
namespace {

using torch::autograd::generated::MkldnnRnnLayerBackward0;

Terms mkldnn_rnn(const CallSite& call) {
  auto& node = call.node<MkldnnRnnLayerBackward0>();
  const auto sequences = sequences_of(call, 1, {});
  if (node.mode != static_cast<int64_t>(Cell::lstm) || !node.batch_sizes.empty() || !sequences) return {};
  const auto unpack = [&](const torch::autograd::SavedVariable& saved) { return at_least_float(saved.unpack(call.self())); };
  RecurrentLayer layer;
  layer.product = onednn_product;
  layer.inputs = in_order(unpack(node.input_), node.reverse);
  layer.states = in_order(unpack(node.result0_), node.reverse);
  layer.first_state = unpack(node.hx__);
  layer.first_cell = unpack(node.cx__);
  layer.input_weight = unpack(node.weight0_);
  layer.state_weight = unpack(node.weight1_);
  if (node.has_biases) {
    layer.input_bias = unpack(node.weight2_);
    layer.state_bias = unpack(node.weight3_);
  }
  const RecurrentGrads grads{in_order(call.grads[kStates], node.reverse), call.grads[kLastState], call.grads[kLastCell]};
  return layer_terms(call, *sequences, {1, 2, 3, 4}, layer, maps_of(layer, grads));
}

const RegisterRule registered{{"MkldnnRnnLayerBackward0", "LSTM", "W x_t + b + U h_{t-1} + b', for all steps at once"}, mkldnn_rnn};

}  // namespace
}  // namespace ghostgrad::rules
