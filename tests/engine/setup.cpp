// SPDX-License-Identifier: Apache-2.0
#include "setup.h"

#include <algorithm>
#include <cmath>

#include <torch/csrc/autograd/autograd.h>

namespace ghostgrad::engine::tests {

using at::Tensor;

NamedParameters named(const Modules& modules, const std::vector<Tensor>& others) {
  std::vector<Tensor> all;
  for (const auto& module : modules) {
    module->to(at::kDouble);
    for (const Tensor& parameter : module->parameters()) all.push_back(parameter);
  }
  all.insert(all.end(), others.begin(), others.end());
  NamedParameters named;
  for (const Tensor& parameter : all) {
    if (parameter.requires_grad()) named.emplace_back("p" + std::to_string(named.size()), parameter);
  }
  return named;
}

Tensor cross_entropy(const Tensor& logits, const Tensor& targets) {
  return at::cross_entropy_loss(logits, targets, {}, at::Reduction::None);
}

Situation classifier(const Modules& modules, const std::vector<Tensor>& others, Batch batch, std::function<Tensor(const Tensor&)> forward) {
  return {named(modules, others), std::move(batch),
          [forward = std::move(forward)](const Batch& b) { return cross_entropy(forward(b[0]), b[1]); }};
}

Plan noiseless(const std::function<void(PlanOptions&)>& change) {
  PlanOptions options;
  options.clip = 1.0;
  options.noise_multiplier = 0;
  options.expected_batch_size = 1;
  options.method = "per_example";
  if (change) change(options);
  return Plan(options);
}

Expected expected_of(const Tensor& losses, const NamedParameters& parameters, double threshold) {
  std::vector<Tensor> leaves;
  Expected expected;
  for (const auto& [name, parameter] : parameters) {
    leaves.push_back(parameter);
    expected.sums.push_back(at::zeros_like(parameter, parameter.options().dtype(at::kDouble).requires_grad(false)));
  }
  for (int64_t i = 0; i < losses.numel(); ++i) {
    const auto grads = torch::autograd::grad({losses[i]}, leaves, {}, /*retain_graph=*/true, false, /*allow_unused=*/true);
    double squared = 0;
    for (const Tensor& grad : grads) squared += grad.defined() ? grad.to(at::kDouble).square().sum().item<double>() : 0;
    expected.norms.push_back(std::sqrt(squared));
    const double coefficient = std::min(1.0, threshold / std::sqrt(squared));
    for (size_t p = 0; p < leaves.size(); ++p) {
      if (grads[p].defined()) expected.sums[p] += coefficient * grads[p].to(at::kDouble);
    }
  }
  return expected;
}

double error_of(Engine& engine, const Tensor& losses, const NamedParameters& parameters) {
  const Expected expected = expected_of(losses, parameters, *engine.plan().options().clip);
  engine.backward(losses);
  const Tensor norms = engine.last_norms();
  engine.release();
  const double of_norms = relative_error({norms}, {at::tensor(expected.norms, at::kDouble)});
  const double of_sums = relative_error(gradients(parameters), expected.sums);
  return of_norms > of_sums || std::isnan(of_norms) ? of_norms : of_sums;
}

double relative_error(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  double worst = 0, size = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    const double apart = (a[i].to(at::kDouble) - b[i]).abs().max().item<double>();
    if (std::isnan(apart)) return apart;  // std::max would lose it
    worst = std::max(worst, apart);
    size = std::max(size, b[i].abs().max().item<double>());
  }
  return size > 0 ? worst / size : worst;
}

void clear_gradients(const NamedParameters& parameters) {
  for (const auto& [name, parameter] : parameters) Tensor(parameter).mutable_grad().reset();
}

std::vector<Tensor> gradients(const NamedParameters& parameters) {
  std::vector<Tensor> grads;
  for (const auto& [name, parameter] : parameters) grads.push_back(parameter.grad());
  return grads;
}

}  // namespace ghostgrad::engine::tests
