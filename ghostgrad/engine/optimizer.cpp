// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/optimizer.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::engine {
namespace {

const OptimizerRow& find_optimizer(const std::string& name) {
  std::string names;
  for (const OptimizerRow& row : optimizers()) {
    if (row.name == name) return row;
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  throw base::InvalidArgument("optimizer", "must be the name of an optimizer", '"' + name + '"', "choose one of " + names);
}

}  // namespace

const std::vector<OptimizerRow>& optimizers() {
  static const std::vector<OptimizerRow> rows = {
      {"sgd", "stochastic gradient descent with momentum", 0.1, 0.9},
      {"adam", "Adam, beta 0.9 and 0.999", 2e-3, std::nullopt},
  };
  return rows;
}

void check(const OptimizerOptions& options) {
  const OptimizerRow& row = find_optimizer(options.name);
  if (options.lr && !(*options.lr > 0 && std::isfinite(*options.lr))) {
    throw base::InvalidArgument("lr", "must be a positive number", fmt::to_string(*options.lr), fmt::format("pass e.g. {}", row.lr));
  }
  if (!options.momentum) return;
  if (!row.momentum) {
    throw base::InvalidArgument("momentum", fmt::format("is not an option of {}", row.name), fmt::to_string(*options.momentum),
                                "leave it out, or choose sgd");
  }
  if (!(*options.momentum >= 0 && *options.momentum < 1)) {
    throw base::InvalidArgument("momentum", "must lie in [0, 1)", fmt::to_string(*options.momentum),
                                fmt::format("pass e.g. {}", *row.momentum));
  }
}

OptimizerOptions with_defaults(OptimizerOptions options) {
  check(options);
  const OptimizerRow& row = find_optimizer(options.name);
  if (!options.lr) options.lr = row.lr;
  if (!options.momentum) options.momentum = row.momentum;
  return options;
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<at::Tensor> parameters) {
  const auto chosen = with_defaults(options);
  if (chosen.name == "adam") return std::make_unique<torch::optim::Adam>(std::move(parameters), torch::optim::AdamOptions(*chosen.lr));
  return std::make_unique<torch::optim::SGD>(std::move(parameters), torch::optim::SGDOptions(*chosen.lr).momentum(*chosen.momentum));
}

}  // namespace ghostgrad::engine
