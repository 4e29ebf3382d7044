// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/loop.h"

#include <cmath>
#include <limits>

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

namespace ghostgrad::clip {
namespace {

void densify(std::vector<at::Tensor>& grads) {
  for (at::Tensor& grad : grads) {
    if (grad.defined() && grad.is_sparse()) grad = grad.to_dense();
  }
}

double norm_of(const std::vector<at::Tensor>& grads) {
  double squared = 0;
  for (const at::Tensor& grad : grads) {
    if (grad.defined()) squared += std::pow(grad.to(at::kDouble).norm().item<double>(), 2);
  }
  return std::sqrt(squared);
}

void add_scaled(std::vector<at::Tensor>& sums, const std::vector<at::Tensor>& grads, double coefficient) {
  sums.resize(grads.size());
  for (size_t p = 0; p < grads.size(); ++p) {
    if (!grads[p].defined()) continue;
    const at::Tensor scaled =
        grads[p].to(grads[p].is_floating_point() && grads[p].element_size() < 4 ? at::kFloat : grads[p].scalar_type()) * coefficient;
    sums[p] = sums[p].defined() ? sums[p].add_(scaled) : scaled;
  }
}

}  // namespace

LoopSum clip_by_loop(const ExampleGradients& gradients, const LoopOptions& options) {
  LoopSum result;
  result.norms = at::zeros({options.examples}, at::kDouble);
  for (int64_t i = 0; i < options.examples; ++i) {
    if (options.mask.defined() && !options.mask[i].item<bool>()) continue;
    auto grads = gradients(i);
    if (grads) densify(*grads);
    const double norm = grads ? norm_of(*grads) : std::numeric_limits<double>::quiet_NaN();
    result.norms[i] = norm;
    if (!std::isfinite(norm)) {
      ++result.nonfinite;
      continue;
    }
    const double coefficient = options.clip_function->coefficients(at::full({1}, norm, at::kDouble), options.threshold).item<double>();
    add_scaled(result.sums, *grads, coefficient);
  }
  return result;
}

}  // namespace ghostgrad::clip
