// SPDX-License-Identifier: Apache-2.0
// A - 1 = (2 pi)^(-1/2) int e^(-t^2/2) f(u(t)) dt, with t = z / sigma and f(u) = (1 + u)^a - 1 - a u.
//
// Where the mass is: f expands into powers u^k, that is, into e^(k L), and e^(k L - t^2/2) is a bell of unit width round k / sigma.
// The weights of the bells are convex in k, so the outermost ones, k = 0, 2 and a, dominate all between. Windows of +-10 round these
// three lose e^-50. (Mass elsewhere, round the place t0 where q e^L = 1 - q, would need q < 1e-200.)
//
// Where it is smooth: (1 + u)^a has branch points at t0 +- i pi sigma. A panel is at most 0.7 of its distance from them wide, so the
// error of 20 Gauss-Legendre nodes falls below 3.4^-40; elsewhere bells are entire and panels 2.5 wide are enough.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include <boost/math/quadrature/gauss.hpp>

#include "ghostgrad/privacy/sampled_gaussian.h"

namespace ghostgrad::privacy {
namespace {

using Rule = boost::math::quadrature::gauss<double, 20>;

/// (1 + u)^a - 1 - a u for small u: its Taylor series, because the three terms would cancel.
double small_excess(double order, double u) {
  double sum = 1;
  for (int k = 16; k >= 3; --k) sum = 1 + u * (order - k + 1) / k * sum;
  return order * (order - 1) / 2 * u * u * sum;
}

class Integrand {
 public:
  Integrand(double order, double sigma, double q) : order_(order), sigma_(sigma), q_(q) {
    const double peak = order * (order - 1) / (2 * sigma * sigma) + order * std::log(q);  // of the bell k = a
    log_scale_ = std::max(0.0, peak);
  }

  [[nodiscard]] double log_scale() const { return log_scale_; }

  /// e^(-t^2/2) f(u(t)) / scale, at most of the order of 2^a.
  double operator()(double t) const {
    const double log_ratio = t / sigma_ - 1 / (2 * sigma_ * sigma_);  // L
    const double log_bell = -t * t / 2 - log_scale_;
    if (log_ratio > 600) {  // 1 + u = u in double precision, and u may overflow
      const double log_u = std::log(q_) + log_ratio;
      return std::exp(order_ * log_u + log_bell) - std::exp(std::log(order_) + log_u + log_bell);
    }
    const double u = q_ * std::expm1(log_ratio);
    if (order_ * std::abs(u) < 0.1) return small_excess(order_, u) * std::exp(log_bell);
    const double log_power = order_ * std::log1p(u);
    if (log_power < 30) return (std::expm1(log_power) - order_ * u) * std::exp(log_bell);
    return std::exp(log_power + log_bell) * (1 - (1 + order_ * u) * std::exp(-log_power));
  }

 private:
  double order_;
  double sigma_;
  double q_;
  double log_scale_;
};

struct Interval {
  double from;
  double to;
};

/// Windows round the bells that matter, sorted and merged.
std::vector<Interval> windows(double order, double sigma) {
  constexpr double half = 10;
  std::array centres = {0.0, 2 / sigma, order / sigma};
  std::ranges::sort(centres);
  std::vector<Interval> merged;
  for (const double centre : centres) {
    if (merged.empty() || centre - half > merged.back().to) merged.push_back({centre - half, centre + half});
    merged.back().to = centre + half;
  }
  return merged;
}

double integrate_panel(const Integrand& f, Interval panel) {
  const double centre = (panel.from + panel.to) / 2;
  const double radius = (panel.to - panel.from) / 2;
  double sum = 0;
  for (std::size_t i = 0; i < Rule::abscissa().size(); ++i) {
    const double offset = radius * Rule::abscissa()[i];
    sum += Rule::weights()[i] * (f(centre - offset) + f(centre + offset));
  }
  return radius * sum;
}

}  // namespace

double log_excess_quadrature(double order, double sigma, double q) {
  const Integrand f(order, sigma, q);
  const double turn = 1 / (2 * sigma) + sigma * (std::log1p(-q) - std::log(q));
  double sum = 0;
  for (const auto& window : windows(order, sigma)) {
    for (double from = window.from; from < window.to;) {
      const double to_branch_point = std::hypot(std::numbers::pi * sigma, turn - from);
      const double to = std::min(window.to, from + std::min(2.5, 0.7 * to_branch_point));
      sum += integrate_panel(f, {from, to});
      from = to;
    }
  }
  return f.log_scale() + std::log(sum / std::sqrt(2 * std::numbers::pi));
}

}  // namespace ghostgrad::privacy
