// SPDX-License-Identifier: Apache-2.0
// Statistics of a sample against the standard normal, each as a number that is itself about standard normal when all is well.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace ghostgrad::noise {

/// (mean of z^k - its expectation) / its deviation, for n independent normals.
inline double moment_score(const at::Tensor& z, int k) {
  double expectation = 1, square = 1;  // (k - 1)!! for even k, and (2 k - 1)!!
  for (int i = k - 1; i > 1; i -= 2) expectation *= i;
  for (int i = 2 * k - 1; i > 1; i -= 2) square *= i;
  if (k % 2 == 1) expectation = 0;
  return (z.pow(k).mean().item<double>() - expectation) / std::sqrt((square - expectation * expectation) / static_cast<double>(z.numel()));
}

/// sum z w / sqrt(n) for independent z and w.
inline double correlation_score(const at::Tensor& z, const at::Tensor& w) {
  return (z * w).sum().item<double>() / std::sqrt(static_cast<double>(z.numel()));
}

/// Kolmogorov-Smirnov: sqrt(n) sup |F_n - F|; above t with probability 2 exp(-2 t^2).
inline double ks_statistic(const at::Tensor& z) {
  const auto n = z.numel();
  const auto uniform = at::special_ndtr(std::get<0>(z.sort()));
  const auto steps = at::arange(n, at::kDouble) / static_cast<double>(n);
  const auto above = (uniform - steps).max().item<double>(), below = (steps - uniform).max().item<double>() + 1.0 / static_cast<double>(n);
  return std::sqrt(static_cast<double>(n)) * std::max(above, below);
}

/// Chi-square of counts against equal expectations, centred and scaled: (X^2 - df) / sqrt(2 df).
inline double chi_square_score(const at::Tensor& counts) {
  const auto observed = counts.to(at::kDouble);
  const auto expected = observed.mean();
  const auto freedom = static_cast<double>(counts.numel() - 1);
  return (((observed - expected).square() / expected).sum().item<double>() - freedom) / std::sqrt(2 * freedom);
}

/// Counts of z in bins of equal probability.
inline at::Tensor equal_bins(const at::Tensor& z, int64_t bins) {
  const auto bin = (at::special_ndtr(z) * static_cast<double>(bins)).to(at::kLong).clamp_(0, bins - 1);
  return at::bincount(bin, {}, bins);
}

}  // namespace ghostgrad::noise
