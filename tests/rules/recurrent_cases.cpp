// SPDX-License-Identifier: Apache-2.0
// Recurrent layers. In float32 an LSTM is one fused op for each layer and direction; everything else is made of primitive ops, whose uses
// of a weight, one a step, meet in one bundle.
#include "tests/rules/harness.h"
#include <tuple>

namespace ghostgrad::rules::tests {
namespace {

constexpr int64_t N = kMostExamples, kSteps = 5, kIn = 4, kHidden = 3;

struct Network {
  int64_t gates;  // 4 for LSTM, 3 for GRU, 1 for a plain RNN
  int64_t layers = 1;
  bool both_ways = false;
  bool biased = true;
};

/// Weights in the library's order: for each layer and direction W, U, b, b'.
Tensors weights(uint64_t seed, const Network& network) {
  Draw draw(seed);
  Tensors all;
  const int64_t rows = network.gates * kHidden, directions = network.both_ways ? 2 : 1;
  for (int64_t part = 0; part < network.layers * directions; ++part) {
    const int64_t in = part < directions ? kIn : kHidden * directions;
    all.push_back(draw.normal({rows, in}));
    all.push_back(draw.normal({rows, kHidden}));
    if (!network.biased) continue;
    all.push_back(draw.normal({rows}));
    all.push_back(draw.normal({rows}));
  }
  return all;
}

at::Tensor sequences(uint64_t seed) { return Draw(seed).normal({N, kSteps, kIn}); }

at::Tensor no_state(const at::Tensor& x, const Network& network, int64_t examples) {
  return at::zeros({network.layers * (network.both_ways ? 2 : 1), examples, kHidden}, x.options());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm(const Tensors& w, const at::Tensor& x, const Network& network) {
  const at::Tensor zero = no_state(x, network, x.size(0));
  return at::lstm(x, {zero, zero}, w, network.biased, network.layers, 0.0, false, network.both_ways, /*batch_first=*/true);
}

RegisterCase lstm_case(const char* name, uint64_t seed, const Network& network) {
  return RegisterCase([=] {
    return Case{name, weights(seed, network), {sequences(seed + 1)}, [network](const Tensors& w, const Tensors& x) {
                  return score(std::get<0>(lstm(w, x[0], network)));
                }};
  });
}

const RegisterCase plain = lstm_case("lstm", 710, {4});
const RegisterCase unbiased = lstm_case("lstm_without_biases", 712, {4, 1, false, false});
const RegisterCase deep = lstm_case("lstm_of_two_layers_both_ways", 714, {4, 2, true});

const RegisterCase last_states([] {
  return Case{"lstm_of_which_the_last_states_are_used", weights(716, {4}), {sequences(717)}, [](const Tensors& w, const Tensors& x) {
                const auto [output, state, cell] = lstm(w, x[0], {4});
                return score(state[0]) + score(cell[0].tanh());
              }};
});

const RegisterCase everything([] {
  const Network network{4, 1, true};
  return Case{"lstm_of_which_everything_is_used", weights(718, network), {sequences(719)}, [network](const Tensors& w, const Tensors& x) {
                const auto [output, state, cell] = lstm(w, x[0], network);
                return score(output) + score(state.transpose(0, 1)) + score(cell.transpose(0, 1));
              }};
});

const RegisterCase given_states([] {
  Draw draw(722);
  return Case{
      "lstm_with_given_states_steps_first",
      weights(720, {4}),
      {sequences(721) * 0.5, draw.normal({N, 1, kHidden}) * 0.5, draw.normal({N, 1, kHidden}) * 0.5},
      [](const Tensors& w, const Tensors& x) {
        return score(std::get<0>(at::lstm(x[0].transpose(0, 1), {x[1].transpose(0, 1).contiguous(), x[2].transpose(0, 1).contiguous()}, w,
                                          true, 1, 0.0, false, false, /*batch_first=*/false))
                         .transpose(0, 1));
      }};
});

/// Two sequences for each example: they share its gradient.
const RegisterCase several([] {
  return Case{"lstm_of_two_sequences_per_example",
              weights(724, {4}),
              {Draw(725).normal({N, 2, kSteps, kIn})},
              [](const Tensors& w, const Tensors& x) {
                return score(std::get<0>(lstm(w, x[0].flatten(0, 1), {4})).unflatten(0, {-1, 2}));
              }};
});

const RegisterCase packed([] {
  return Case{"lstm_of_packed_sequences",
              weights(726, {4}),
              {sequences(727)},
              [](const Tensors& w, const Tensors& x) {
                const int64_t examples = x[0].size(0);
                const at::Tensor lengths = at::arange(examples, at::kLong).neg_().clamp_min_(-3).add_(kSteps);  // 5, 4, 3, 2, 2
                const auto [rows, sizes] = at::_pack_padded_sequence(x[0], lengths, /*batch_first=*/true);
                const at::Tensor zero = no_state(x[0], {4}, examples);
                const auto result = at::lstm(rows, sizes, {zero, zero}, w, true, 1, 0.0, false, false);
                return score(std::get<0>(at::_pad_packed_sequence(std::get<0>(result), sizes, true, 0, kSteps)));
              },
              {},
              /*knows_positions=*/true};
});

const RegisterCase gru([] {
  return Case{"gru", weights(730, {3}), {sequences(731)}, [](const Tensors& w, const Tensors& x) {
                return score(std::get<0>(at::gru(x[0], no_state(x[0], {3}, x[0].size(0)), w, true, 1, 0.0, false, false, true)));
              }};
});

const RegisterCase deep_gru([] {
  const Network network{3, 2, true};
  return Case{"gru_of_two_layers_both_ways", weights(732, network), {sequences(733)}, [network](const Tensors& w, const Tensors& x) {
                return score(std::get<0>(at::gru(x[0], no_state(x[0], network, x[0].size(0)), w, true, 2, 0.0, false, true, true)));
              }};
});

const RegisterCase tanh_rnn([] {
  return Case{"rnn_with_tanh", weights(734, {1}), {sequences(735)}, [](const Tensors& w, const Tensors& x) {
                return score(std::get<0>(at::rnn_tanh(x[0], no_state(x[0], {1}, x[0].size(0)), w, true, 1, 0.0, false, false, true)));
              }};
});

const RegisterCase relu_rnn([] {
  return Case{"rnn_with_relu", weights(736, {1}), {sequences(737)}, [](const Tensors& w, const Tensors& x) {
                return score(std::get<0>(at::rnn_relu(x[0], no_state(x[0], {1}, x[0].size(0)), w, true, 1, 0.0, false, false, true)));
              }};
});

/// An LSTM whose states are projected: W, U, b, b', P.
const RegisterCase projected([] {
  Draw draw(738);
  return Case{
      "lstm_with_projections",
      {draw.normal({12, kIn}), draw.normal({12, 2}), draw.normal({12}), draw.normal({12}), draw.normal({2, 3})},
      {sequences(739)},
      [](const Tensors& w, const Tensors& x) {
        const at::Tensor state = at::zeros({1, x[0].size(0), 2}, x[0].options()), cell = at::zeros({1, x[0].size(0), 3}, x[0].options());
        return score(std::get<0>(at::lstm(x[0], {state, cell}, w, true, 1, 0.0, false, false, true)));
      }};
});

/// A user's own loop over steps with the library's cell.
const RegisterCase own_loop([] {
  return Case{"lstm_cells_in_a_loop", weights(740, {4}), {sequences(741)}, [](const Tensors& w, const Tensors& x) {
                at::Tensor state = at::zeros({x[0].size(0), kHidden}, x[0].options()), cell = state;
                for (int64_t t = 0; t < kSteps; ++t) {
                  std::tie(state, cell) = at::lstm_cell(x[0].select(1, t), {state, cell}, w[0], w[1], w[2], w[3]);
                }
                return score(state);
              }};
});

}  // namespace
}  // namespace ghostgrad::rules::tests
