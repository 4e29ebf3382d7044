// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/analytic.h"

#include <cmath>

#include "ghostgrad/privacy/gaussian_curve.h"
#include "ghostgrad/privacy/gaussian_parts.h"

namespace ghostgrad::privacy {
namespace {

/// The value is exact but for rounding.
Bound exactly(double value) { return {.value = value, .lower = value * (1 - 1e-11), .estimate = value}; }

}  // namespace

double AnalyticAccountant::mu() const { return sensitivity(adjacency()) * mu_; }

bool AnalyticAccountant::supports_part(const Event& event) const { return as_plain_gaussian(event).has_value(); }

void AnalyticAccountant::add(const Part& part) {
  // hypot: the squares of very small and very large noise leave the range of a double
  mu_ = std::hypot(mu_, std::sqrt(static_cast<double>(part.count)) / as_plain_gaussian(part.event).value());
}

Bound AnalyticAccountant::epsilon_of_all(double delta) const { return mu() == 0 ? Bound{} : exactly(gaussian_epsilon(mu(), delta)); }

Bound AnalyticAccountant::delta_of_all(double epsilon) const {
  if (std::isinf(epsilon)) return exactly(0);
  if (std::isinf(mu())) return exactly(1);
  return mu() == 0 ? Bound{} : exactly(std::exp(gaussian_log_delta(mu(), epsilon)));
}

}  // namespace ghostgrad::privacy
