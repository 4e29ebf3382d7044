// SPDX-License-Identifier: Apache-2.0
// The fused op of CUDA: a whole recurrent network, all its layers, directions and steps, packed sequences too. What lies between its layers
// was not kept, so the library runs all layers but the last again; dropout between them cannot be run again, and goes to the fallback.
#include <algorithm>
#include <iterator>

#include <ATen/ops/_pad_packed_sequence.h>
#include <ATen/ops/gru.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rnn_relu.h>
#include <ATen/ops/rnn_tanh.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/rules/recurrent_terms.h"

namespace ghostgrad::rules {
namespace {

using torch::autograd::generated::CudnnRnnBackward0;
using Tensors = std::vector<at::Tensor>;

/// What the op saved. A part is one direction of one layer; parts of a layer follow one another.
class Network {
 public:
  Network(CudnnRnnBackward0& node, const graph::NodePtr& self) : node_(node), directions_(node.bidirectional ? 2 : 1) {
    const auto unpack = [&](const torch::autograd::SavedVariable& saved) { return saved.unpack(self); };
    const at::Tensor input = unpack(node.input_);
    sizes_ = graph::as_ints(node.batch_sizes);
    if (sizes_.empty()) sizes_.assign(input.size(first_step()), input.size(1 - first_step()));
    input_ = rows(input);
    output_ = rows(unpack(node.result0_));
    states_ = unpack(node.hx_);
    if (cell() == Cell::lstm) cells_ = unpack(node.cx_);
    weights_ = graph::unpack_all(node.weight_, self);
  }

  [[nodiscard]] Cell cell() const { return static_cast<Cell>(node_.mode); }
  [[nodiscard]] int64_t layers() const { return node_.num_layers; }
  [[nodiscard]] int64_t directions() const { return directions_; }

  /// Packed rows [sum of sizes, ...] from what has the op's layout.
  [[nodiscard]] at::Tensor rows(const at::Tensor& values) const {
    if (!node_.batch_sizes.empty() || !values.defined()) return values;
    return values.transpose(0, first_step()).flatten(0, 1);
  }

  /// [T, N, ...] from packed rows, in at least float32.
  [[nodiscard]] at::Tensor steps(const at::Tensor& rows) const {
    if (!rows.defined()) return rows;
    return at_least_float(ragged() ? std::get<0>(at::_pad_packed_sequence(rows, sizes(), /*batch_first=*/false, 0, -1))
                                   : rows.unflatten(0, {static_cast<int64_t>(sizes_.size()), sizes_[0]}));
  }

  /// What enters and leaves the layers, as packed rows: [layers + 1].
  [[nodiscard]] Tensors values() const {
    Tensors values{input_};
    for (int64_t layer = 0; layer + 1 < layers(); ++layer) values.push_back(run_again(layer, values.back()));
    values.push_back(output_);
    return values;
  }

  [[nodiscard]] LayerEdges edges(int64_t part) const {
    const int first = 1 + static_cast<int>(part * node_.weight_stride0);
    LayerEdges edges{first, first + 1};
    if (biased()) {
      edges.input_bias = first + 2;
      edges.state_bias = first + 3;
    }
    if (projected()) edges.projection = first + static_cast<int>(node_.weight_stride0) - 1;
    return edges;
  }

  /// A part, but for what enters and leaves it.
  [[nodiscard]] RecurrentLayer layer_of(int64_t part) const {
    const auto weight = [&](int edge) { return edge == 0 ? at::Tensor() : at_least_float(weights_[edge - 1]); };
    const LayerEdges at = edges(part);
    RecurrentLayer layer;
    layer.cell = cell();
    layer.first_state = at_least_float(states_[part]);
    if (cells_.defined()) layer.first_cell = at_least_float(cells_[part]);
    layer.input_weight = weight(at.input_weight);
    layer.state_weight = weight(at.state_weight);
    layer.input_bias = weight(at.input_bias);
    layer.state_bias = weight(at.state_bias);
    layer.projection = weight(at.projection);
    if (ragged()) layer.active.assign(sizes_.begin(), sizes_.end());
    return layer;
  }

 private:
  [[nodiscard]] bool projected() const { return graph::as_int(node_.proj_size) != 0; }
  [[nodiscard]] bool biased() const { return node_.weight_stride0 >= 4; }
  [[nodiscard]] bool ragged() const { return sizes_.front() != sizes_.back(); }
  [[nodiscard]] int64_t first_step() const { return node_.batch_first ? 1 : 0; }
  [[nodiscard]] at::Tensor sizes() const { return at::tensor(at::IntArrayRef(sizes_.data(), sizes_.size()), at::kLong); }

  /// The rows that a layer gave, from those that entered it.
  [[nodiscard]] at::Tensor run_again(int64_t layer, const at::Tensor& rows) const {
    const auto of_layer = [&](const at::Tensor& all) { return all.narrow(0, layer * directions_, directions_).contiguous(); };
    const auto first = weights_.begin() + layer * directions_ * node_.weight_stride0;
    const Tensors weights(first, first + directions_ * node_.weight_stride0);
    constexpr int64_t kLayers = 1;
    constexpr double kDropout = 0;
    if (cell() == Cell::lstm) {
      return std::get<0>(at::lstm(rows, sizes(), {of_layer(states_), of_layer(cells_)}, weights, biased(), kLayers, kDropout,
                                  /*train=*/false, node_.bidirectional));
    }
    using Plain = std::tuple<at::Tensor, at::Tensor> (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&, at::TensorList, bool,
                                                         int64_t, double, bool, bool);
    const Plain others[] = {at::rnn_relu, at::rnn_tanh, nullptr, at::gru};
    const Plain run = others[node_.mode];
    return std::get<0>(run(rows, sizes(), of_layer(states_), weights, biased(), kLayers, kDropout, /*train=*/false, node_.bidirectional));
  }

  CudnnRnnBackward0& node_;
  int64_t directions_;
  graph::Ints sizes_;  // sequences of each step
  at::Tensor input_, output_, states_, cells_;
  Tensors weights_;
};

/// The gradients that flow into the layers, from the last down.
class Descent {
 public:
  Descent(const CallSite& call, const Network& network, const graph::Axis& sequences)
      : call_(call), network_(network), sequences_(sequences), values_(network.values()) {}

  Terms run() {
    at::Tensor grads = network_.steps(network_.rows(call_.grads[kStates]));
    for (int64_t layer = network_.layers() - 1; layer >= 0; --layer) grads = descend(layer, grads);
    return std::move(terms_);
  }

 private:
  /// Adds the terms of a layer, and gives the gradient of what enters it.
  at::Tensor descend(int64_t layer, const at::Tensor& grads) {
    const at::Tensor inputs = network_.steps(values_[layer]);
    const Tensors states = network_.steps(values_[layer + 1]).chunk(network_.directions(), 2);
    const Tensors arriving = grads.defined() ? grads.chunk(network_.directions(), 2) : Tensors(network_.directions());
    at::Tensor entering;
    for (int64_t direction = 0; direction < network_.directions(); ++direction) {
      const int64_t part = layer * network_.directions() + direction;
      const bool reverse = direction == 1;
      RecurrentLayer here = network_.layer_of(part);
      here.inputs = in_order(inputs, reverse);
      here.states = in_order(states[direction], reverse);
      if (reverse) std::reverse(here.active.begin(), here.active.end());
      const RecurrentMaps maps = maps_of(here, {in_order(arriving[direction], reverse), last(kLastState, part), last(kLastCell, part)});
      Terms terms = layer_terms(call_, sequences_, network_.edges(part), here, maps);
      std::move(terms.begin(), terms.end(), std::back_inserter(terms_));
      if (layer == 0) continue;
      const at::Tensor through = in_order(at::matmul(maps.input_sums, here.input_weight), reverse);
      entering = entering.defined() ? entering.add_(through) : through;
    }
    return entering;
  }

  [[nodiscard]] at::Tensor last(RecurrentSlot slot, int64_t part) const {
    return call_.grads[slot].defined() ? call_.grads[slot][part] : at::Tensor();
  }

  const CallSite& call_;
  const Network& network_;
  const graph::Axis& sequences_;
  Tensors values_;
  Terms terms_;
};

Terms cudnn_rnn(const CallSite& call) {
  auto& node = call.node<CudnnRnnBackward0>();
  const auto sequences = sequences_of(call, node.batch_first || !node.batch_sizes.empty() ? 0 : 1, graph::as_ints(node.batch_sizes));
  const bool drops = node.dropout > 0 && node.train && node.num_layers > 1;
  if (!sequences || drops) return {};
  return Descent(call, Network(node, call.self()), *sequences).run();
}

const RegisterRule registered{
    {"CudnnRnnBackward0", "recurrent network", "W x_t + b and U h_{t-1} + b' of every layer, for all steps at once", /*on_trial=*/true},
    cudnn_rnn};

}  // namespace
}  // namespace ghostgrad::rules
