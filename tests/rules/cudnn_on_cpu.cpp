// SPDX-License-Identifier: Apache-2.0
// The ops that a recurrent network becomes on CUDA, given kernels for the CPU: libtorch then records the very node that it records there, with
// the same saved values and edges. The kernels are the library's own layers of the CPU, in the layout that the ops' signatures promise; what
// cuDNN itself computes is not tested by them.
#include <ATen/ATen.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/library.h>

namespace ghostgrad::rules::tests {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

struct Options {
  int64_t stride, mode, layers;
  bool batch_first;
  double dropout;
  bool both_ways;
  at::IntArrayRef batch_sizes;

  [[nodiscard]] bool biased() const { return stride >= 4; }
  [[nodiscard]] int64_t directions() const { return both_ways ? 2 : 1; }
};

using Packed = std::tuple<Tensor, Tensor> (*)(const Tensor&, const Tensor&, const Tensor&, at::TensorList, bool, int64_t, double, bool,
                                              bool);
using Padded = std::tuple<Tensor, Tensor> (*)(const Tensor&, const Tensor&, at::TensorList, bool, int64_t, double, bool, bool, bool);

constexpr int64_t kLstm = 2;

/// One layer: its output, last states and last cells.
Tensors layer(const Options& options, const Tensor& input, const Tensors& weights, const Tensor& state, const Tensor& cell) {
  static const Packed packed[] = {at::rnn_relu, at::rnn_tanh, nullptr, at::gru};
  static const Padded padded[] = {at::rnn_relu, at::rnn_tanh, nullptr, at::gru};
  const bool is_packed = !options.batch_sizes.empty(), biased = options.biased(), both = options.both_ways;
  const Tensor sizes = is_packed ? at::tensor(options.batch_sizes, at::kLong) : Tensor();
  if (options.mode == kLstm) {
    const auto [output, last, last_cell] = is_packed
                                               ? at::lstm(input, sizes, {state, cell}, weights, biased, 1, 0, true, both)
                                               : at::lstm(input, {state, cell}, weights, biased, 1, 0, true, both, options.batch_first);
    return {output, last, last_cell};
  }
  const auto [output, last] = is_packed ? packed[options.mode](input, sizes, state, weights, biased, 1, 0, true, both)
                                        : padded[options.mode](input, state, weights, biased, 1, 0, true, both, options.batch_first);
  return {output, last};
}

/// Drops every other feature: a mask that nothing but the op knows.
Tensor dropped(const Tensor& values) { return values * at::arange(values.size(-1), values.options()).remainder(2).mul(2); }

/// All layers: output, last states, last cells (an lstm's).
Tensors network(const Options& options, const Tensor& input, at::TensorList weights, const Tensor& states, const Tensor& cells) {
  Tensor values = input;
  std::vector<Tensors> last(2);
  const int64_t each = options.directions() * options.stride;
  for (int64_t level = 0; level < options.layers; ++level) {
    const Tensors own(weights.begin() + level * each, weights.begin() + (level + 1) * each);
    const auto of_layer = [&](const Tensor& all) {
      return all.defined() ? all.narrow(0, level * options.directions(), options.directions()).contiguous() : all;
    };
    const Tensors results = layer(options, values, own, of_layer(states), of_layer(cells));
    values = options.dropout > 0 && level + 1 < options.layers ? dropped(results[0]) : results[0];
    for (size_t k = 1; k < results.size(); ++k) last[k - 1].push_back(results[k]);
  }
  return {values, at::cat(last[0]), last[1].empty() ? at::empty({0}, states.options()) : at::cat(last[1])};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> forward(const Tensor& input, at::TensorList weights, int64_t stride,
                                                           const std::optional<Tensor>& /*buffer*/, const Tensor& states,
                                                           const std::optional<Tensor>& cells, int64_t mode, int64_t /*hidden*/,
                                                           int64_t /*projected*/, int64_t layers, bool batch_first, double dropout,
                                                           bool train, bool both_ways, at::IntArrayRef batch_sizes,
                                                           const std::optional<Tensor>& /*dropout_state*/) {
  const Options options{stride, mode, layers, batch_first, train ? dropout : 0, both_ways, batch_sizes};
  const Tensors results = network(options, input, weights, states, cells.value_or(Tensor()));
  const Tensor none = at::empty({0}, input.options());
  return {results[0], results[1], results[2], none, none};
}

std::tuple<Tensor, Tensor, Tensor, Tensors> backward(const Tensor& input, at::TensorList weights, int64_t stride, const Tensor& /*buffer*/,
                                                     const Tensor& states, const std::optional<Tensor>& cells, const Tensor& /*output*/,
                                                     const std::optional<Tensor>& grad_output, const std::optional<Tensor>& grad_states,
                                                     const std::optional<Tensor>& grad_cells, int64_t mode, int64_t /*hidden*/,
                                                     int64_t /*projected*/, int64_t layers, bool batch_first, double dropout, bool train,
                                                     bool both_ways, at::IntArrayRef batch_sizes,
                                                     const std::optional<Tensor>& /*dropout_state*/, const Tensor& /*reserve*/,
                                                     std::array<bool, 4> /*mask*/) {
  // As outside of any op: autograd records what follows.
  const c10::impl::ForceDispatchKeyGuard keys{c10::default_included_set, c10::default_excluded_set};
  const at::AutoGradMode recording{true};
  const auto leaf = [](const Tensor& value) { return value.detach().requires_grad_(); };
  Tensors leaves{leaf(input), leaf(states)};
  if (cells && cells->defined()) leaves.push_back(leaf(*cells));
  const auto first_weight = static_cast<int64_t>(leaves.size());
  for (const Tensor& weight : weights) leaves.push_back(leaf(weight));
  const Options options{stride, mode, layers, batch_first, train ? dropout : 0, both_ways, batch_sizes};
  const Tensors results =
      network(options, leaves[0], at::TensorList(leaves).slice(first_weight), leaves[1], first_weight == 3 ? leaves[2] : Tensor());
  Tensors reached, grads;
  for (const auto& [result, grad] : {std::pair(results[0], grad_output), {results[1], grad_states}, {results[2], grad_cells}}) {
    if (!grad || !grad->defined()) continue;
    reached.push_back(result);
    grads.push_back(*grad);
  }
  const Tensors all = torch::autograd::grad(reached, leaves, grads, std::nullopt, false, /*allow_unused=*/true);
  return {all[0], all[1], first_weight == 3 ? all[2] : Tensor(), Tensors(all.begin() + first_weight, all.end())};
}

TORCH_LIBRARY_IMPL(aten, CPU, library) {
  library.impl("_cudnn_rnn", TORCH_FN(forward));
  library.impl("_cudnn_rnn_backward", TORCH_FN(backward));
}

}  // namespace
}  // namespace ghostgrad::rules::tests
