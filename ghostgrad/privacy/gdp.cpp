// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/gdp.h"

#include <cmath>

#include "ghostgrad/base/error.h"
#include "ghostgrad/base/maths.h"
#include "ghostgrad/privacy/gaussian_curve.h"
#include "ghostgrad/privacy/gaussian_parts.h"

namespace ghostgrad::privacy {
namespace {

Bound approximately(double value) {
  return {.value = value,
          .estimate = value,
          .is_approximation = true,
          .warnings = {"gdp: a central limit approximation, not a guarantee: the true value may be larger"}};
}

/// ln mu^2 of one release.
double log_squared_mu(const SampledGaussian& mechanism) {
  const double log_full = -2 * std::log(mechanism.sigma);
  if (mechanism.sample_rate == 1) return log_full;
  return 2 * std::log(mechanism.sample_rate) + base::log_expm1(std::exp(log_full));
}

}  // namespace

GdpAccountant::GdpAccountant(Adjacency adjacency) : Accountant(adjacency) {
  if (adjacency != Adjacency::replace_one) return;
  throw base::Unsupported("gdp", "approximates add_remove and zero_out adjacency only", std::string(to_text(adjacency)),
                          "choose another accountant or adjacency");
}

bool GdpAccountant::supports_part(const Event& event) const { return as_sampled_gaussian(event).has_value(); }

void GdpAccountant::add(const Part& part) {
  const double log_all = std::log(static_cast<double>(part.count)) + log_squared_mu(as_sampled_gaussian(part.event).value());
  mu_ = std::hypot(mu_, std::exp(log_all / 2));
}

Bound GdpAccountant::epsilon_of_all(double delta) const { return approximately(mu_ == 0 ? 0 : gaussian_epsilon(mu_, delta)); }

Bound GdpAccountant::delta_of_all(double epsilon) const {
  if (std::isinf(epsilon) || mu_ == 0) return approximately(0);
  return approximately(std::isinf(mu_) ? 1 : std::exp(gaussian_log_delta(mu_, epsilon)));
}

}  // namespace ghostgrad::privacy
