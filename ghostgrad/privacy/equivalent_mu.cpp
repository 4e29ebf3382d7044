// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/equivalent_mu.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <boost/math/tools/minima.hpp>

#include "ghostgrad/privacy/gaussian_curve.h"
#include "ghostgrad/privacy/monotone_search.h"

namespace ghostgrad::privacy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The least mu with G_mu(epsilon) >= delta.
double mu_through(const CurvePoint& point) {
  if (point.delta <= 0) return 0;
  if (point.delta >= 1) return infinity;
  const double log_delta = std::log(point.delta);
  const Axis axis{.least = 1e-8, .most = 1e8, .start = 1, .good_when_large = true};
  const auto found = find_boundary(axis, 1, [&](double mu) { return Bound{std::exp(log_delta - gaussian_log_delta(mu, point.epsilon))}; });
  return found.good ? found.good->at : infinity;
}

}  // namespace

double equivalent_mu(const DeltaOf& delta, double last) {
  if (!std::isfinite(last)) return infinity;
  constexpr int count = 100;
  double worst = 0;
  double at = 0;
  for (const auto& point : even_curve(delta, last, count)) {
    if (const double mu = mu_through(point); mu > worst) {
      worst = mu;
      at = point.epsilon;
    }
  }
  const double step = last / (count - 1);
  if (step == 0 || !std::isfinite(worst)) return worst;
  std::uintmax_t steps = 30;
  const auto loss = [&](double epsilon) { return -mu_through({epsilon, delta(epsilon)}); };
  const auto refined = boost::math::tools::brent_find_minima(loss, std::max(0.0, at - step), std::min(last, at + step), 26, steps);
  return std::max(worst, -refined.second);
}

}  // namespace ghostgrad::privacy
