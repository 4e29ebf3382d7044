// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/prv.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::privacy {
namespace {

/// The eps_error that n rounding errors stay below but for this probability.
double eps_error(double releases, double interval, double probability) {
  constexpr double spread = 1.001;  // the mean error within a cell, at most interval^2 / 8, varies a little from loss to loss
  return spread * interval * std::sqrt(releases * -std::log(probability) / 2);
}

/// The widest answer over both directions.
void widen(Bound& bound, double lower, double estimate, double upper) {
  bound.lower = std::max(bound.lower.value_or(0), lower);
  bound.estimate = std::max(bound.estimate.value_or(0), estimate);
  bound.value = std::max(bound.value, upper);
}

Bound beyond_the_grid(const std::optional<Bound>& rdp, double nothing) {
  Bound bound = rdp.value_or(Bound{.value = nothing});
  bound.warnings.emplace_back("prv: no grid in double precision serves this run; the value is the rdp accountant's bound, or none");
  return bound;
}

void state_errors(Bound& bound, double eps_error, double delta_error) {
  bound.warnings.push_back(fmt::format("prv: error bars from eps_error {:.3g} and delta_error {:.3g}", eps_error, delta_error));
}

double checked_error(double error, const char* name) {
  if (error > 0 && error < 1) return error;
  throw base::InvalidArgument(name, "must lie in (0, 1)", fmt::to_string(error), "pass a small number such as 0.01");
}

}  // namespace

// The interval that gives this eps_error depends on the number of releases: LossCurve takes it for a probability of e^-30.
PrvAccountant::PrvAccountant(Adjacency adjacency, const PrvOptions& options)
    : LossAccountant(adjacency, {.largest_spread = checked_error(options.eps_error, "eps_error") / std::sqrt(15.0)}), options_(options) {
  (void)checked_error(options.delta_error, "delta_error");
}

Bound PrvAccountant::epsilon_of_all(double delta) const {
  if (is_exact()) return exact().epsilon(delta);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (!has_grid()) return beyond_the_grid(epsilon_by_rdp(delta), infinity);
  try {
    auto bound = epsilon_on_grid(delta);
    if (std::isfinite(*bound.lower) && std::isfinite(*bound.estimate) && std::isfinite(bound.value)) return bound;
  } catch (const base::Unsupported&) {  // no window holds this run
  }
  return beyond_the_grid(epsilon_by_rdp(delta), infinity);
}

Bound PrvAccountant::epsilon_on_grid(double delta) const {
  const double delta_error = options_.delta_error * delta;
  Bound bound{.lower = 0, .estimate = 0};
  double worst_error = 0;
  for (auto& curve : curves()) {
    if (curve.stays_below(*bound.lower, delta)) continue;  // the other direction decides
    const auto estimate = curve.epsilon(delta, Rounding::unbiased, fft());
    const auto above = curve.epsilon(delta - delta_error, Rounding::unbiased, fft());
    const auto below = curve.epsilon(std::min(delta + delta_error, 1 - 1e-16), Rounding::unbiased, fft());
    const double up = eps_error(curve.releases(), above.interval, 0.99 * delta_error);
    const double down = eps_error(curve.releases(), below.interval, 0.99 * delta_error);
    widen(bound, below.value - down, estimate.value, above.value + up);
    worst_error = std::max({worst_error, up, down});
  }
  if (worst_error > 1.5 * options_.eps_error) state_errors(bound, worst_error, delta_error);
  return bound;
}

Bound PrvAccountant::delta_of_all(double epsilon) const {
  if (is_exact()) return exact().delta(epsilon);
  if (std::isinf(epsilon)) return {.value = 0, .lower = 0, .estimate = 0};
  if (!has_grid()) return beyond_the_grid(delta_by_rdp(epsilon), 1);
  try {
    return delta_on_grid(epsilon);
  } catch (const base::Unsupported&) {  // no window holds this run
    return beyond_the_grid(delta_by_rdp(epsilon), 1);
  }
}

Bound PrvAccountant::delta_on_grid(double epsilon) const {
  Bound bound{.lower = 0, .estimate = 0};
  for (auto& curve : curves()) {
    if (curve.stays_below(epsilon, *bound.lower)) continue;  // the other direction decides
    const auto estimate = curve.delta(epsilon, Rounding::unbiased, fft());
    const double delta_error = options_.delta_error * std::clamp(estimate.value, 1e-300, 1.0);
    const auto shifted = [&](double sign) { return delta_beside(curve, epsilon, sign, 0.99 * delta_error); };
    const auto above = shifted(-1), below = shifted(1);
    const auto probability = [](double value) { return std::clamp(value, 0.0, 1.0); };
    widen(bound, below ? probability(*below - delta_error) : 0, probability(estimate.value), above ? probability(*above + delta_error) : 1);
  }
  return bound;
}

/// The estimate as far to one side of epsilon as the grid that it is taken from may be off: another epsilon may ask for a coarser grid,
/// which must then be moved further. Nothing when no grid fits.
std::optional<double> PrvAccountant::delta_beside(LossCurve& curve, double epsilon, double sign, double probability) const {
  constexpr int kAttempts = 12;
  double shift = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto moved = curve.delta(epsilon + sign * shift, Rounding::unbiased, fft());
    const double error = eps_error(curve.releases(), moved.interval, probability);
    if (error <= shift) return moved.value;
    shift = 1.001 * error;
  }
  return std::nullopt;
}

}  // namespace ghostgrad::privacy
