// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/generate.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::models {
namespace {

int64_t draw(const at::Tensor& logits, double temperature) {
  if (temperature == 0) return logits.argmax().item<int64_t>();
  return (logits / temperature).softmax(0).multinomial(1).item<int64_t>();
}

}  // namespace

std::vector<int64_t> continued(Model& model, const std::vector<int64_t>& opening, const GenerateOptions& options) {
  if (opening.empty()) throw base::InvalidArgument("opening", "must hold at least one token", "none", "begin with the token of an end");
  if (!(options.temperature >= 0)) {
    throw base::InvalidArgument("temperature", "must not be negative", fmt::to_string(options.temperature), "pass e.g. 0.7");
  }
  const at::NoGradGuard no_grad;
  std::vector<int64_t> tokens = opening;
  const auto most = static_cast<size_t>(std::min<int64_t>(options.positions, static_cast<int64_t>(opening.size()) + options.most));
  while (tokens.size() < most) {
    const auto logits = model.forward(at::tensor(tokens, at::kLong).unsqueeze(0));  // [1, T, V]
    const auto next = draw(logits[0][-1], options.temperature);
    if (next == options.end) break;
    tokens.push_back(next);
  }
  return {tokens.begin() + static_cast<int64_t>(opening.size()), tokens.end()};
}

}  // namespace ghostgrad::models
