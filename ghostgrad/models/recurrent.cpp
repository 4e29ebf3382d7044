// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/recurrent.h"

#include <ATen/ATen.h>

namespace ghostgrad::models {
namespace {

template <class Layers, class LayersOptions>
Layers make_layers(const RecurrentOptions& options) {
  const int64_t row = options.image.channels * options.image.width;
  return Layers(LayersOptions(row, options.hidden).num_layers(options.layers).batch_first(true));
}

std::variant<torch::nn::RNN, torch::nn::LSTM, torch::nn::GRU> make_layers(const RecurrentOptions& options) {
  switch (options.cell) {
    case Cell::lstm:
      return make_layers<torch::nn::LSTM, torch::nn::LSTMOptions>(options);
    case Cell::gru:
      return make_layers<torch::nn::GRU, torch::nn::GRUOptions>(options);
    default:
      return make_layers<torch::nn::RNN, torch::nn::RNNOptions>(options);
  }
}

}  // namespace

Recurrent::Recurrent(const RecurrentOptions& options) : layers_(make_layers(options)) {
  std::visit([this](auto& layers) { register_module("layers", layers); }, layers_);
  head_ = register_module("head", torch::nn::Linear(options.hidden, options.classes));
}

at::Tensor Recurrent::forward(const at::Tensor& inputs) {
  const auto rows = inputs.transpose(1, 2).flatten(2);  // [B, C, H, W] -> [B, H, C W]
  const auto hidden = std::visit([&](auto& layers) { return std::get<0>(layers->forward(rows)); }, layers_);
  return head_->forward(hidden.select(1, -1));
}

}  // namespace ghostgrad::models
