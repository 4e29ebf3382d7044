// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/gaussian_curve.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/tools/toms748_solve.hpp>

namespace ghostgrad::privacy {
namespace {

constexpr double log_sqrt_two_pi = 0.91893853320467274178;

/// 1 - s m(s) beyond s = 12: its asymptotic series sum_k (-1)^(k+1) (2k-1)!! / s^(2k), whose terms shrink until k = s^2 / 2.
double slope_far_out(double s) {
  const double step = -1 / (s * s);
  double term = 1;
  double sum = 0;
  for (int k = 1; k <= 40; ++k) {
    term *= (2 * k - 1) * step;
    sum -= term;
    if (std::abs(term) < 1e-17 * sum) break;
  }
  return sum;
}

/// 1 - s m(s) = -m'(s) > 0.
double slope(double s) { return s > 12 ? slope_far_out(s) : 1 - s * mills_ratio(s); }

/// m(x) - m(x + mu) = int_x^{x+mu} (1 - s m(s)) ds.
double mills_difference(double x, double mu) {
  if (mu > 1) return mills_ratio(x) - mills_ratio(x + mu);
  const auto shifted = [x](double offset) { return slope(x + offset); };
  return boost::math::quadrature::gauss<double, 20>::integrate(shifted, 0.0, mu);
}

}  // namespace

double mills_ratio(double x) {
  if (x > 12) return (1 - slope_far_out(x)) / x;
  return std::erfc(x / std::numbers::sqrt2) / 2 * std::exp(x * x / 2 + log_sqrt_two_pi);
}

double gaussian_log_delta(double mu, double epsilon) {
  const double x = epsilon / mu - mu / 2;
  if (x < -30) {  // Phi(-x) is 1 in double precision, and m(x) may overflow; only e^epsilon Phi(-x - mu) remains
    const double y = x + mu;
    const double log_rest =
        y > 0 ? -x * x / 2 - log_sqrt_two_pi + std::log(mills_ratio(y)) : epsilon + std::log(std::erfc(y / std::numbers::sqrt2) / 2);
    return std::log1p(-std::exp(log_rest));
  }
  return -x * x / 2 - log_sqrt_two_pi + std::log(mills_difference(x, mu));
}

double gaussian_epsilon(double mu, double delta) {
  const double target = std::log(delta);
  const auto excess = [&](double epsilon) { return gaussian_log_delta(mu, epsilon) - target; };
  if (excess(0) <= 0) return 0;
  // delta(epsilon) <= Phi(-x) <= e^(-x^2/2) for x >= 0.
  const double high = mu * (mu / 2 + std::sqrt(-2 * target));
  if (!std::isfinite(high)) return std::numeric_limits<double>::infinity();
  if (!(excess(high) < 0)) return high * (1 + 1e-15);  // so large a mu that doubles cannot tell more
  std::uintmax_t rounds = 200;
  const auto bracket = boost::math::tools::toms748_solve(excess, 0.0, high, boost::math::tools::eps_tolerance<double>(52), rounds);
  return bracket.second;
}

}  // namespace ghostgrad::privacy
