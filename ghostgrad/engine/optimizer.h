// SPDX-License-Identifier: Apache-2.0
// Which optimizer applies the noisy gradients: torch::optim's own, chosen by name. What it does is post-processing and costs no privacy.
//
//     auto optimizer = make_optimizer({.name = "sgd", .lr = 0.5}, model->parameters());
//     engine.step(*optimizer);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <torch/optim/optimizer.h>

namespace ghostgrad::engine {

struct OptimizerOptions {
  std::string name = "sgd";          // a row of optimizers()
  std::optional<double> lr{};        // learning rate > 0; the row's own when not given
  std::optional<double> momentum{};  // in [0, 1), sgd only; the row's own when not given
};

/// One row of the table of optimizers.
struct OptimizerRow {
  std::string_view name;
  std::string_view what;
  double lr;
  std::optional<double> momentum;  // nothing: it has none to set
};

[[nodiscard]] const std::vector<OptimizerRow>& optimizers();

/// The same with the row's own values where none were given. Errors: those of check().
[[nodiscard]] OptimizerOptions with_defaults(OptimizerOptions options);

/// Errors: InvalidArgument naming option, value and constraint.
void check(const OptimizerOptions& options);

/// Errors: those of check().
[[nodiscard]] std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<at::Tensor> parameters);

}  // namespace ghostgrad::engine
