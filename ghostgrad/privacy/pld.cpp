// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace ghostgrad::privacy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The largest answer of all directions, at least 0; a direction that stays below the answer of another is not composed.
template <class StaysBelow, class Ask>
double worst(std::vector<LossCurve>& curves, const StaysBelow& stays_below, const Ask& ask) {
  double value = 0;
  for (auto& curve : curves) {
    if (!stays_below(curve, value)) value = std::max(value, ask(curve));
  }
  return value;
}

/// The better of the grid's bound and, where the grid is coarse, that of rdp.
template <class ByRdp>
Bound judged(Bound bound, const ByRdp& by_rdp) {
  bound.lower = std::min(*bound.lower, bound.value);
  const double gap = bound.value - *bound.lower;
  const bool known = std::isfinite(bound.value);
  if (known && (gap <= 1e-4 * bound.value || gap < 1e-12)) return bound;
  if (!known || gap > 0.01 * bound.value) {
    if (const auto rdp = by_rdp(); rdp && rdp->value < bound.value) bound.value = rdp->value;
  }
  bound.warnings.push_back(
      fmt::format("pld: the grid is coarse for this run: the exact value lies between {:.6g} and {:.6g}", *bound.lower, bound.value));
  return bound;
}

Bound beyond_the_grid(const std::optional<Bound>& rdp, double nothing) {
  Bound bound = rdp.value_or(Bound{.value = nothing});
  bound.warnings.emplace_back("pld: no grid in double precision serves this run; the value is the rdp accountant's bound, or none");
  return bound;
}

}  // namespace

Bound PldAccountant::epsilon_of_all(double delta) const {
  if (is_exact()) return exact().epsilon(delta);
  if (!has_grid()) return beyond_the_grid(epsilon_by_rdp(delta), infinity);
  const auto below = [&](const LossCurve& curve, double epsilon) { return curve.stays_below(epsilon, delta); };
  const auto ask = [&](Rounding rounding) {
    return worst(curves(), below, [&](LossCurve& curve) { return curve.epsilon(delta, rounding, fft()).value; });
  };
  return judged({.value = ask(Rounding::pessimistic), .lower = ask(Rounding::optimistic)}, [&] { return epsilon_by_rdp(delta); });
}

Bound PldAccountant::delta_of_all(double epsilon) const {
  if (is_exact()) return exact().delta(epsilon);
  if (std::isinf(epsilon)) return {.value = 0, .lower = 0};
  if (!has_grid()) return beyond_the_grid(delta_by_rdp(epsilon), 1);
  const auto below = [&](const LossCurve& curve, double delta) { return curve.stays_below(epsilon, delta); };
  const auto ask = [&](Rounding rounding) {
    return worst(curves(), below, [&](LossCurve& curve) { return std::min(curve.delta(epsilon, rounding, fft()).value, 1.0); });
  };
  return judged({.value = ask(Rounding::pessimistic), .lower = ask(Rounding::optimistic)}, [&] { return delta_by_rdp(epsilon); });
}

}  // namespace ghostgrad::privacy
