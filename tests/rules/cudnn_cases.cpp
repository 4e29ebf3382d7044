// SPDX-License-Identifier: Apache-2.0
// Recurrent networks as the one op of CUDA (cudnn_on_cpu.cpp): every cell, layers, directions, layouts, packed sequences, projections.
#include "tests/rules/harness.h"
#include <tuple>

namespace ghostgrad::rules::tests {
namespace {

constexpr int64_t N = kMostExamples, kSteps = 5, kIn = 4, kHidden = 3;

enum Mode { kRelu = 0, kTanh = 1, kLstm = 2, kGru = 3 };

struct Network {
  Mode mode;
  int64_t layers = 1;
  bool both_ways = false;
  bool biased = true;
  bool batch_first = true;
  int64_t projected = 0;  // width of the projected states
  double dropout = 0;

  [[nodiscard]] int64_t directions() const { return both_ways ? 2 : 1; }
  [[nodiscard]] int64_t width() const { return projected > 0 ? projected : kHidden; }
  [[nodiscard]] int64_t gates() const { return mode == kLstm ? 4 : (mode == kGru ? 3 : 1); }
  [[nodiscard]] int64_t stride() const { return 2 + (biased ? 2 : 0) + (projected > 0 ? 1 : 0); }
};

/// For each layer and direction W, U, b, b', P: small, or rounding to bfloat16 grows from step to step and layer to layer.
Tensors weights(uint64_t seed, const Network& network) {
  Draw draw(seed);
  Tensors all;
  const int64_t rows = network.gates() * kHidden;
  for (int64_t part = 0; part < network.layers * network.directions(); ++part) {
    all.push_back(draw.normal({rows, part < network.directions() ? kIn : network.width() * network.directions()}));
    all.push_back(draw.normal({rows, network.width()}));
    if (network.biased) all.insert(all.end(), {draw.normal({rows}), draw.normal({rows})});
    if (network.projected > 0) all.push_back(draw.normal({network.width(), kHidden}));
  }
  for (at::Tensor& weight : all) weight.mul_(0.5);
  return all;
}

struct Results {
  at::Tensor output, last_states, last_cells;
};

Results run(const Network& network, const Tensors& w, const at::Tensor& x, const at::Tensor& states, const at::Tensor& cells,
            at::IntArrayRef batch_sizes = {}) {
  const auto [output, last, cell, reserve, buffer] = at::_cudnn_rnn(
      x, w, network.stride(), {}, states, network.mode == kLstm ? std::optional(cells) : std::nullopt, network.mode, kHidden,
      network.projected, network.layers, network.batch_first, network.dropout, /*train=*/true, network.both_ways, batch_sizes, {});
  return {output, last, cell};
}

at::Tensor zeros(const Network& network, const at::Tensor& x, int64_t sequences, int64_t width) {
  return at::zeros({network.layers * network.directions(), sequences, width}, x.options());
}

Results run(const Network& network, const Tensors& w, const at::Tensor& x) {
  const int64_t sequences = x.size(network.batch_first ? 0 : 1);
  return run(network, w, x, zeros(network, x, sequences, network.width()), zeros(network, x, sequences, kHidden));
}

at::Tensor sequences(uint64_t seed) { return Draw(seed).normal({N, kSteps, kIn}); }

RegisterCase outputs_of(const char* name, uint64_t seed, const Network& network, std::vector<std::string> fallback = {}) {
  return RegisterCase([=] {
    return Case{name,
                weights(seed, network),
                {sequences(seed + 1)},
                [network](const Tensors& w, const Tensors& x) {
                  if (network.batch_first) return score(run(network, w, x[0]).output);
                  return score(run(network, w, x[0].transpose(0, 1)).output.transpose(0, 1));
                },
                fallback};
  });
}

const RegisterCase relu = outputs_of("cudnn_rnn_with_relu", 750, {kRelu});
const RegisterCase tanh = outputs_of("cudnn_rnn_with_tanh", 752, {kTanh});
const RegisterCase lstm = outputs_of("cudnn_lstm", 754, {kLstm});
const RegisterCase gru = outputs_of("cudnn_gru", 756, {kGru});
const RegisterCase unbiased = outputs_of("cudnn_gru_without_biases_steps_first", 758, {kGru, 1, false, false, false});
const RegisterCase deep_relu = outputs_of("cudnn_rnn_of_two_layers", 760, {kRelu, 2});
const RegisterCase deep_tanh = outputs_of("cudnn_rnn_of_three_layers_both_ways", 762, {kTanh, 3, true});
const RegisterCase deep_lstm = outputs_of("cudnn_lstm_of_two_layers_both_ways", 764, {kLstm, 2, true});
const RegisterCase deep_gru = outputs_of("cudnn_gru_of_two_layers_both_ways_steps_first", 766, {kGru, 2, true, true, false});
const RegisterCase projected = outputs_of("cudnn_lstm_with_projections", 768, {kLstm, 2, true, true, true, 2});
const RegisterCase unbiased_projected = outputs_of("cudnn_lstm_with_projections_without_biases", 770, {kLstm, 1, false, false, true, 2});
const RegisterCase dropping =
    outputs_of("cudnn_lstm_with_dropout_between_layers", 772, {kLstm, 2, false, true, true, 0, 0.5}, {"CudnnRnnBackward0"});
const RegisterCase nothing_to_drop = outputs_of("cudnn_lstm_with_dropout_of_one_layer", 774, {kLstm, 1, false, true, true, 0, 0.5});

RegisterCase last_of(const char* name, uint64_t seed, const Network& network) {
  return RegisterCase([=] {
    return Case{name, weights(seed, network), {sequences(seed + 1)}, [network](const Tensors& w, const Tensors& x) {
                  const Results results = run(network, w, x[0]);
                  const at::Tensor loss = score(results.last_states.transpose(0, 1));
                  return network.mode == kLstm ? loss + score(results.last_cells.transpose(0, 1).tanh()) : loss;
                }};
  });
}

const RegisterCase last_lstm = last_of("cudnn_lstm_of_which_the_last_states_are_used", 776, {kLstm, 2, true});
const RegisterCase last_gru = last_of("cudnn_gru_of_which_the_last_states_are_used", 778, {kGru, 2, true});

/// Everything is used, states are given, and a parameter lies below the op.
const RegisterCase everything([] {
  const Network network{kLstm, 2, true};
  Draw draw(780);
  Tensors w = weights(781, network);
  w.push_back(draw.normal({kIn, kIn}));
  return Case{"cudnn_lstm_with_given_states_above_a_linear_layer",
              w,
              {sequences(782), draw.normal({N, 4, kHidden}) * 0.5, draw.normal({N, 4, kHidden}) * 0.5},
              [network](const Tensors& all, const Tensors& x) {
                const Tensors own(all.begin(), all.end() - 1);
                const auto states_first = [](const at::Tensor& given) { return given.transpose(0, 1).contiguous(); };
                const Results results = run(network, own, at::linear(x[0], all.back()), states_first(x[1]), states_first(x[2]));
                return score(results.output) + score(results.last_states.transpose(0, 1)) + score(results.last_cells.transpose(0, 1));
              }};
});

const RegisterCase several([] {
  const Network network{kGru};
  return Case{"cudnn_gru_of_two_sequences_per_example",
              weights(784, network),
              {Draw(785).normal({N, 2, kSteps, kIn})},
              [network](const Tensors& w, const Tensors& x) {
                return score(run(network, w, x[0].flatten(0, 1)).output.unflatten(0, {-1, 2}));
              }};
});

RegisterCase packed(const char* name, uint64_t seed, const Network& network) {
  return RegisterCase([=] {
    return Case{name,
                weights(seed, network),
                {sequences(seed + 1)},
                [network](const Tensors& w, const Tensors& x) {
                  const int64_t examples = x[0].size(0);
                  const at::Tensor lengths = at::arange(examples, at::kLong).neg_().clamp_min_(-3).add_(kSteps);  // 5, 4, 3, 2, 2
                  const auto [rows, sizes] = at::_pack_padded_sequence(x[0], lengths, /*batch_first=*/true);
                  const Results results =
                      run(network, w, rows, zeros(network, rows, examples, network.width()), zeros(network, rows, examples, kHidden),
                          at::IntArrayRef(sizes.const_data_ptr<int64_t>(), sizes.numel()));
                  const at::Tensor padded = std::get<0>(at::_pad_packed_sequence(results.output, sizes, true, 0, kSteps));
                  const at::Tensor loss = score(padded) + score(results.last_states.transpose(0, 1));
                  return network.mode == kLstm ? loss + score(results.last_cells.transpose(0, 1)) : loss;
                },
                {},
                /*knows_positions=*/true};
  });
}

const RegisterCase packed_tanh = packed("cudnn_rnn_of_packed_sequences_both_ways", 786, {kTanh, 2, true, true, false});
const RegisterCase packed_lstm = packed("cudnn_lstm_of_packed_sequences", 788, {kLstm, 1, false, true, false});
const RegisterCase packed_deep_lstm = packed("cudnn_lstm_of_packed_sequences_two_layers_both_ways", 790, {kLstm, 2, true, true, false});
const RegisterCase packed_gru = packed("cudnn_gru_of_packed_sequences_two_layers_both_ways", 792, {kGru, 2, true, true, false});
const RegisterCase packed_projected = packed("cudnn_lstm_of_packed_sequences_with_projections", 794, {kLstm, 2, true, true, false, 2});

}  // namespace
}  // namespace ghostgrad::rules::tests
