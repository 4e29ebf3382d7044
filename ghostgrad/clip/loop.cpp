// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/loop.h"

#include <cmath>
#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "ghostgrad/rules/term.h"

namespace ghostgrad::clip {
namespace {

/// Dense, in at least float32.
void prepare(std::vector<at::Tensor>& grads) {
  for (at::Tensor& grad : grads) {
    if (grad.defined()) grad = rules::at_least_float(grad.is_sparse() ? grad.to_dense() : grad);
  }
}

/// [groups] float64
at::Tensor norms_of(const std::vector<at::Tensor>& grads, const Groups& groups) {
  at::Tensor squared = at::zeros({groups.count()}, at::kDouble);
  for (size_t p = 0; p < grads.size(); ++p) {
    if (grads[p].defined()) squared[groups.of_parameter[p]] += rules::squares_per_example(grads[p].unsqueeze(0))[0];
  }
  return squared.sqrt_();
}

std::vector<double> coefficients_of(const at::Tensor& norms, const LoopOptions& options) {
  std::vector<double> coefficients;
  for (int group = 0; group < options.groups->count(); ++group) {
    const Clipping clipping{options.groups->thresholds[group], options.clip_constant};
    coefficients.push_back(coefficients_of(*options.clip_function, norms.narrow(0, group, 1), clipping).item<double>());
  }
  return coefficients;
}

/// coefficients: one for each group
void add_scaled(std::vector<at::Tensor>& sums, const std::vector<at::Tensor>& grads, const LoopOptions& options,
                const std::vector<double>& coefficients) {
  sums.resize(grads.size());
  for (size_t p = 0; p < grads.size(); ++p) {
    if (!grads[p].defined()) continue;
    if (!sums[p].defined()) sums[p] = at::zeros_like(grads[p]);
    sums[p].add_(grads[p], coefficients[options.groups->of_parameter[p]]);
  }
}

}  // namespace

LoopSum clip_by_loop(const ExampleGradients& gradients, const LoopOptions& options) {
  LoopSum result;
  result.norms = at::zeros({options.examples}, at::kDouble);
  for (int64_t i = 0; i < options.examples; ++i) {
    if (options.mask.defined() && !options.mask[i].item<bool>()) continue;
    auto grads = gradients(i);
    if (grads) prepare(*grads);
    const at::Tensor norms = grads ? norms_of(*grads, *options.groups) : at::Tensor();
    result.norms[i] = grads ? norms.norm().item<double>() : std::numeric_limits<double>::quiet_NaN();
    if (!std::isfinite(result.norms[i].item<double>())) {
      ++result.nonfinite;
      continue;
    }
    add_scaled(result.sums, *grads, options, coefficients_of(norms, options));
  }
  return result;
}

}  // namespace ghostgrad::clip
