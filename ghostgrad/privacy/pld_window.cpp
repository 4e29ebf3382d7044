// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_window.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "ghostgrad/privacy/pld_band.h"

namespace ghostgrad::privacy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The masses of the tilted atoms; their sum is 1. Returns ln of what they were divided by.
double tilt_masses(const LossAtoms& atoms, double tilt_per_point, std::vector<double>& masses) {
  double largest = -infinity;
  for (std::size_t i = 0; i < atoms.at.size(); ++i) {
    if (atoms.mass[i] > 0)
      largest = std::max(largest, tilt_per_point * static_cast<double>(atoms.at[i]) + std::numbers::ln2 * std::ilogb(atoms.mass[i]));
  }
  masses.resize(atoms.at.size());
  double sum = 0;
  for (std::size_t i = 0; i < atoms.at.size(); ++i) {
    masses[i] = atoms.mass[i] * std::exp(tilt_per_point * static_cast<double>(atoms.at[i]) - largest);
    sum += masses[i];
  }
  for (double& mass : masses) mass /= sum;
  return largest + std::log(sum);
}

void add_onto_circle(const LossAtoms& atoms, const std::vector<double>& masses, std::vector<double>& circle) {
  std::ranges::fill(circle, 0.0);
  const std::uint64_t mask = circle.size() - 1;
  for (std::size_t i = 0; i < atoms.at.size(); ++i) circle[static_cast<std::uint64_t>(atoms.at[i]) & mask] += masses[i];
}

/// Frees the highest frequencies of what no digit needs: no transform is larger than 1, so that further releases leave them that small.
/// Returns how many frequencies are left.
std::size_t cut_band(Spectrum& spectrum, std::size_t band) {
  constexpr double negligible = 1e-50;  // the square of 1e-25
  while (band > 1 && std::norm(spectrum[band - 1]) < negligible) spectrum[--band] = 0;
  return band;
}

/// z^count, 0 where its size falls below 1e-40.
std::complex<double> power(std::complex<double> z, double count) {
  if (count == 1) return z;
  const double log_size = std::log(std::norm(z)) / 2 * count;
  return log_size < -92 ? 0 : std::polar(std::exp(log_size), std::arg(z) * count);
}

}  // namespace

LossWindow::LossWindow(std::span<const CountedAtoms> releases, const WindowPlan& plan, Side side, Fft& fft)
    : interval_(plan.interval),
      tilt_(plan.tilt),
      centre_(plan.interval * static_cast<double>(plan.centre)),
      first_(plan.centre - plan.size / 2) {
  std::vector<double> circle(static_cast<std::size_t>(plan.size));
  std::vector<double> masses;
  Spectrum one;
  Spectrum all(circle.size() / 2 + 1, 1.0);
  std::size_t band = all.size();
  std::optional<LowBand> low;
  double total = 0;
  for (const auto& [atoms, count] : releases) {
    log_scale_ += count * tilt_masses(atoms, tilt_ * interval_, masses);
    at_infinity_ += count * atoms.at_infinity;
    total += count;
    if (circle.size() >= 1024 && band <= LowBand::frequencies(circle.size())) {
      if (!low) low.emplace(circle.size());
      low->transform(atoms.at, masses, fft, one);
    } else {
      add_onto_circle(atoms, masses, circle);
      fft.forward(circle, one);
    }
    for (std::size_t k = 0; k < band; ++k) {
      if (all[k] != 0.0) all[k] *= power(one[k], count);
    }
    band = cut_band(all, band);
  }
  log_scale_ -= tilt_ * centre_;
  fft.backward(all, circle);
  std::rotate(circle.begin(), circle.begin() + static_cast<std::ptrdiff_t>(static_cast<std::uint64_t>(first_) & (circle.size() - 1)),
              circle.end());
  sum_tails(std::move(circle), side, total);
}

void LossWindow::sum_tails(std::vector<double> tilted, Side side, double releases) {
  const double peak = *std::ranges::max_element(tilted);
  constexpr double rounding = std::numeric_limits<double>::epsilon();
  const double error_size = peak * rounding * (16 + 2 * releases);
  const double error = side == Side::neither ? 0 : side == Side::upper ? error_size : -error_size;
  tail_.assign(tilted.size(), 0);
  delta_.assign(tilted.size(), 0);
  const double keep = std::exp(-interval_);
  const double lose = -std::expm1(-interval_);
  reliable_from_ = infinity;
  reliable_to_ = -infinity;
  std::size_t from = tilted.size();
  for (double tail = 0, delta = 0; from > 0; --from) {  // delta(x_i) = e^-h delta(x_{i+1}) + (1 - e^-h) P(L > x_i): no differences
    const std::size_t i = from - 1;
    const double exponent = -tilt_ * (loss(i) - centre_);
    if (exponent > 600) break;
    delta = keep * delta + lose * tail;
    tail += std::max(tilted[i] + error, 0.0) * std::exp(exponent);
    tail_[i] = tail;
    delta_[i] = delta;
    if (tilted[i] > 1e6 * error_size) {
      reliable_to_ = std::max(reliable_to_, loss(i));
      reliable_from_ = loss(i);
    }
  }
  if (tilt_ == 0) reliable_from_ = -infinity;
  // What the window leaves out above, with a thousandfold margin.
  if (side == Side::upper) at_infinity_ += std::exp(log_scale_ - tilt_ * (loss(tilted.size()) - centre_) - 39);
  if (from > 0) {
    tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(from));
    delta_.erase(delta_.begin(), delta_.begin() + static_cast<std::ptrdiff_t>(from));
    first_ += static_cast<std::int64_t>(from);
  }
}

double LossWindow::delta(double epsilon) const {
  const double place = std::ceil(epsilon / interval_) - static_cast<double>(first_);
  if (place >= static_cast<double>(delta_.size())) return at_infinity_;
  const auto i = static_cast<std::size_t>(std::max(place, 0.0));
  // Between grid points delta is linear in e^epsilon: tail - e^(epsilon - x) (tail - delta(x)).
  const double back = -std::expm1(epsilon - loss(i));
  return std::exp(log_scale_) * (delta_[i] + back * (tail_[i] - delta_[i])) + at_infinity_;
}

double LossWindow::epsilon(double delta) const {
  const double target = (delta - at_infinity_) / std::exp(log_scale_);
  if (!(target > 0)) return infinity;
  const auto found = std::ranges::partition_point(delta_, [&](double each) { return each > target; });
  if (found == delta_.end()) return infinity;
  const auto i = static_cast<std::size_t>(found - delta_.begin());
  const double ahead = tail_[i] - delta_[i];
  if (i == 0 && (tilt_ > 0 || target >= tail_[i])) return -infinity;
  if (target >= tail_[i] || ahead <= 0) return loss(i);
  return loss(i) + std::min(std::log1p(-(target - delta_[i]) / ahead), 0.0);
}

}  // namespace ghostgrad::privacy
