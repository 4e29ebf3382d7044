// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_pair.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ghostgrad::privacy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// ln(1 - q + q e^t).
double log_mixture(double q, double t) {
  if (q == 1) return t;
  if (t < 30) return std::log1p(q * std::expm1(t));
  return std::log(q) + t + std::log1p((1 - q) / q * std::exp(-t));
}

/// The t with ln(1 - q + q e^t) = loss.
double inverse_log_mixture(double q, double loss) {
  if (q == 1) return loss;
  if (loss > 30) return loss - std::log(q) + std::log1p(-(1 - q) * std::exp(-loss));
  const double change = std::expm1(loss) / q;
  return change > -1 ? std::log1p(change) : -infinity;
}

/// asinh(e^log_x), also where e^log_x overflows.
double asinh_of_exp(double log_x) { return log_x > 300 ? log_x + std::numbers::ln2 : std::asinh(std::exp(log_x)); }

/// The smaller tail of a standard normal distribution; its sign bit is set when it is the upper one.
double signed_tail(double x) { return x > 0 ? -std::erfc(x / std::numbers::sqrt2) / 2 : std::erfc(-x / std::numbers::sqrt2) / 2; }

/// The mass between two places.
double normal_between(double lower, double upper) {
  const bool meets_centre = !std::signbit(lower) && std::signbit(upper);  // 1 less both tails
  return std::fmax(meets_centre ? 1 - lower + upper : upper - lower, 0);
}

}  // namespace

Reach reach_of(const LossPair& pair, double log_tail) {
  // A tail beyond x standard deviations is below e^(-x^2/2); no further than normal tails are doubles.
  const auto deviations = [&](double log_weight) { return std::sqrt(2 * std::clamp(log_weight - log_tail, 18.0, 700.0)); };
  const double centre = pair.sigma * deviations(0);
  const double shifted = 1 + pair.sigma * deviations(std::log(pair.sample_rate));
  // Nor to losses whose exponential is none.
  const double to = std::min(std::max(centre, shifted), place_of(pair, 690));
  return {std::max(pair.replaced ? -to : -centre, place_of(pair, -690)), to};
}

double loss_at(const LossPair& pair, double z) {
  const double rate = 1 / (pair.sigma * pair.sigma);
  const double loss = log_mixture(pair.sample_rate, (z - 0.5) * rate);
  return pair.replaced ? loss - log_mixture(pair.sample_rate, (-z - 0.5) * rate) : loss;
}

double place_of(const LossPair& pair, double loss) {
  const double variance = pair.sigma * pair.sigma;
  if (!pair.replaced) return 0.5 + variance * inverse_log_mixture(pair.sample_rate, loss);
  // With s = e^(z / sigma^2 - L / 2) the loss becomes s - 1/s = 2 (1-q)/q e^(1 / (2 sigma^2)) sinh(L / 2).
  if (pair.sample_rate == 1 || loss == 0) return variance * loss / 2;
  const double half = std::abs(loss) / 2;
  const double log_sinh = half > 1 ? half - std::numbers::ln2 + std::log1p(-std::exp(-2 * half)) : std::log(std::sinh(half));
  const double log_x = std::log1p(-pair.sample_rate) - std::log(pair.sample_rate) + 0.5 / variance + log_sinh;
  return std::copysign(variance * (half + asinh_of_exp(log_x)), loss);
}

double log_density(const LossPair& pair, double z) {
  const double x = z / pair.sigma;
  const double log_normal = -x * x / 2 - std::log(pair.sigma * std::sqrt(2 * std::numbers::pi));
  return log_normal + log_mixture(pair.sample_rate, (z - 0.5) / (pair.sigma * pair.sigma));
}

Boundary::Boundary(const LossPair& pair, double z)
    : centre_(signed_tail(z / pair.sigma)),
      shifted_(signed_tail((z - 1) / pair.sigma)),
      opposite_(pair.replaced ? signed_tail((z + 1) / pair.sigma) : 0) {}

Masses between(const LossPair& pair, const Boundary& lower, const Boundary& upper) {
  const double q = pair.sample_rate;
  const double centre = normal_between(lower.centre_, upper.centre_);
  const double shifted = normal_between(lower.shifted_, upper.shifted_);
  if (!pair.replaced) return {(1 - q) * centre + q * shifted, centre, q * (shifted - centre)};
  const double opposite = normal_between(lower.opposite_, upper.opposite_);
  return {(1 - q) * centre + q * shifted, (1 - q) * centre + q * opposite, q * (shifted - opposite)};
}

}  // namespace ghostgrad::privacy
