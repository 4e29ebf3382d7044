// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_moments.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace ghostgrad::privacy {
namespace {

constexpr double largest_tilt = 1e15;

/// ln t where the falling function has its root, to a few digits; the largest tilt where it has none.
template <class Falling>
double root_of(const Falling& falling) {
  double low = 1e-9;
  double high = 1;
  while (falling(high) > 0 && high < largest_tilt) low = std::exchange(high, high * 8);
  for (int i = 0; i < 40 && high / low > 1.001; ++i) {
    const double middle = std::sqrt(low * high);
    (falling(middle) > 0 ? low : high) = middle;
  }
  return low;
}

}  // namespace

double log_largest_part(double tilt) { return tilt > 0 ? -std::log1p(tilt) - tilt * std::log1p(1 / tilt) : 0; }

void LossNodes::add(const LossPair& pair, bool swapped, const Reach& reach, double weight) {
  // The rule is exact to e^(-2 pi d / step), d = min(1, pi sigma) the distance to the loss's branch points in units of sigma.
  const double step = std::clamp(0.4 * pair.sigma, 0.01, 0.2) * pair.sigma;
  const double points = std::min(std::ceil((reach.to - reach.from) / step), 1e5);
  for (double i = 0; i <= points; ++i) {
    const double z = reach.from + i * step;
    const double loss = loss_at(pair, z);
    const double log_p = log_density(pair, z);
    loss_.push_back(swapped ? -loss : loss);
    log_mass_.push_back((swapped ? log_p - loss : log_p) + std::log(weight * step));
  }
}

Cumulants LossNodes::at(double tilt) const {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < loss_.size(); ++i) largest = std::max(largest, log_mass_[i] + tilt * loss_[i]);
  double sum = 0;
  double first = 0;
  double second = 0;
  for (std::size_t i = 0; i < loss_.size(); ++i) {
    const double exponent = log_mass_[i] + tilt * loss_[i] - largest;
    if (exponent < -45) continue;
    const double mass = std::exp(exponent);
    sum += mass;
    first += mass * loss_[i];
    second += mass * loss_[i] * loss_[i];
  }
  const double mean = first / sum;
  return {largest + std::log(sum), mean, std::max(second / sum - mean * mean, 0.0)};
}

Cumulants RunMoments::at(double tilt) const {
  Cumulants total;
  for (const auto& [nodes, count] : releases_) {
    const auto one = nodes.at(tilt);
    total.value += count * one.value;
    total.slope += count * one.slope;
    total.curvature += count * one.curvature;
  }
  return total;
}

double RunMoments::tilt_for_delta(double log_delta) const {
  return root_of([&](double tilt) {
    const auto cumulants = at(tilt);
    return cumulants.value - tilt * cumulants.slope + log_largest_part(tilt) - log_delta;
  });
}

double RunMoments::tilt_for_epsilon(double epsilon) const {
  if (at(0).slope >= epsilon) return 0;
  return root_of([&](double tilt) { return epsilon - at(tilt).slope; });
}

}  // namespace ghostgrad::privacy
