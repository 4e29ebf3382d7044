// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/sampled_gaussian.h"

#include <cmath>

#include "ghostgrad/base/maths.h"

namespace ghostgrad::privacy {
namespace {

/// ||P / Q||_a <= (1 - q) ||1||_a + q ||e^L||_a: Minkowski's inequality.
double minkowski_bound(double order, double sigma, double q) {
  const double log_norm = (order - 1) / (2 * sigma * sigma);  // ln of the norm of e^L
  const double log_excess = std::log(q) + base::log_expm1(log_norm);
  return order / (order - 1) * base::log1p_exp(log_excess);
}

}  // namespace

double log_excess_integer(int order, double sigma, double q) {
  const double log_q = std::log(q);
  const double log_rest = std::log1p(-q);
  double log_binomial = std::log(order);  // of C(order, 1)
  base::LogSum sum;
  for (int k = 2; k <= order; ++k) {
    log_binomial += std::log(static_cast<double>(order - k + 1) / k);
    const double exponent = k * (k - 1.0) / (2 * sigma * sigma);
    sum.add(log_binomial + (order - k) * log_rest + k * log_q + base::log_expm1(exponent));
  }
  return sum.value();
}

double sampled_gaussian_rdp(double order, double sigma, double q) {
  const double full_batch = order / (2 * sigma * sigma);
  if (q == 1 || !std::isfinite(order * full_batch)) return full_batch;
  if (order == std::floor(order)) return base::log1p_exp(log_excess_integer(static_cast<int>(order), sigma, q)) / (order - 1);
  // The quadrature would underflow for such q, and its panels would be too narrow for such sigma.
  if (sigma < 0.02 || q < 1e-100) return minkowski_bound(order, sigma, q);
  return base::log1p_exp(log_excess_quadrature(order, sigma, q)) / (order - 1);
}

}  // namespace ghostgrad::privacy
