// SPDX-License-Identifier: Apache-2.0
// Models, batches and losses for tests of the engine, and the obvious way to compute what it must release.
//
//     const Situation setup = classifier({first, second}, {}, features(), [=](const Tensor& x) mutable { return second(first(x)); });
//     expect_exact(engine, losses, setup.parameters)
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/nn.h>

#include "ghostgrad/engine/engine.h"

namespace ghostgrad::engine::tests {

struct Situation {
  NamedParameters parameters;
  Batch batch;
  LossFunction losses;
};

using Modules = std::vector<std::shared_ptr<torch::nn::Module>>;

/// The parameters of modules (made float64) that require gradients, and others: "p0", "p1", ...
[[nodiscard]] NamedParameters named(const Modules& modules, const std::vector<at::Tensor>& others = {});

/// Cross entropy of forward(batch[0]) [B, classes] against batch[1].
[[nodiscard]] Situation classifier(const Modules& modules, const std::vector<at::Tensor>& others, Batch batch,
                                   std::function<at::Tensor(const at::Tensor& inputs)> forward);

[[nodiscard]] at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets);

/// A plan without noise, so that a release is sum / 1. `change` sets what differs.
[[nodiscard]] Plan noiseless(const std::function<void(PlanOptions&)>& change = {});

/// Norms [B] and clipped sum of the losses as they stand: one ordinary backward per loss on their own graph.
struct Expected {
  std::vector<double> norms;
  std::vector<at::Tensor> sums;
};
[[nodiscard]] Expected expected_of(const at::Tensor& losses, const NamedParameters& parameters, double threshold);

/// Runs backward and release on fresh losses, and says how far norms and .grad are from expected_of, relative to the largest.
[[nodiscard]] double error_of(Engine& engine, const at::Tensor& losses, const NamedParameters& parameters);

[[nodiscard]] double relative_error(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b);

/// So that another engine finds no gradient of the one before.
void clear_gradients(const NamedParameters& parameters);

/// The .grad of each parameter.
[[nodiscard]] std::vector<at::Tensor> gradients(const NamedParameters& parameters);

}  // namespace ghostgrad::engine::tests
