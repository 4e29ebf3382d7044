// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/mlp.h"

#include <fmt/format.h>

namespace ghostgrad::models {

Mlp::Mlp(const MlpOptions& options) : sigmoid_(options.sigmoid) {
  auto widths = options.hidden;
  widths.push_back(options.classes);
  int64_t from = options.inputs;
  for (const auto width : widths) {
    layers_.push_back(register_module(fmt::format("linear{}", layers_.size()), torch::nn::Linear(from, width)));
    from = width;
  }
}

at::Tensor Mlp::forward(const at::Tensor& inputs) {
  auto h = layers_.front()->forward(inputs.flatten(1));
  for (std::size_t i = 1; i < layers_.size(); ++i) h = layers_[i]->forward(sigmoid_ ? h.sigmoid() : h.tanh());
  return h;
}

}  // namespace ghostgrad::models
