// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_window.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "ghostgrad/privacy/pld_band.h"
#include "ghostgrad/privacy/pld_decay.h"

namespace ghostgrad::privacy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Tilts a release; its sum is 1 afterwards. Returns ln of what it was divided by.
double tilt_masses(LossAtoms& atoms, double tilt_per_point) {
  double largest = -infinity;
  for (std::size_t i = 0; i < atoms.at.size(); ++i) {
    if (atoms.mass[i] > 0)
      largest = std::max(largest, tilt_per_point * static_cast<double>(atoms.at[i]) + std::numbers::ln2 * std::ilogb(atoms.mass[i]));
  }
  double sum = 0;
  double missed = 0;  // by rounding the sum: it is raised to the power of the releases
  for (std::size_t i = 0; i < atoms.at.size(); ++i) {
    atoms.mass[i] *= std::exp(tilt_per_point * static_cast<double>(atoms.at[i]) - largest);
    const double before = sum;
    const double term = atoms.mass[i] - missed;
    sum = before + term;
    missed = (sum - before) - term;
  }
  for (double& mass : atoms.mass) mass /= sum;
  return largest + std::log(sum);
}

void add_onto_circle(const LossAtoms& atoms, std::vector<double>& circle) {
  std::ranges::fill(circle, 0.0);
  const std::uint64_t mask = circle.size() - 1;
  for (std::size_t i = 0; i < atoms.at.size(); ++i) circle[static_cast<std::uint64_t>(atoms.at[i]) & mask] += atoms.mass[i];
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

void multiply(Spectrum& all, std::size_t band, const Spectrum& one, double count) {
  for (std::size_t k = 0; k < band; ++k) {
    if (all[k] != 0.0) all[k] *= power(one[k], count);
  }
}

/// How many frequencies of the circle matter: a power of two, or 0 where they are too many to do without the others.
std::size_t few_frequencies(const std::vector<CountedAtoms>& releases, std::size_t circle, Fft& fft) {
  const std::size_t most = circle / 64;
  const std::size_t least = std::max<std::size_t>(circle / 2048, 64);
  if (most < least) return 0;
  SpectrumDecay decay(circle, releases.front().atoms.at, releases.front().atoms.mass);
  std::size_t found = circle;
  for (const auto& [atoms, count] : releases) {
    decay.add(atoms.at, atoms.mass, count, fft);
    found = decay.frequencies();
    if (found <= least) break;  // fewer would cost no less
  }
  return found <= most ? std::max(std::bit_ceil(found), least) : 0;
}

std::unique_ptr<LossTails> band_tails(const std::vector<CountedAtoms>& releases, std::size_t frequencies, const Circle& circle, Fft& fft) {
  LowBand low(circle.size, frequencies);
  Spectrum one;
  Spectrum all(frequencies, 1.0);
  for (const auto& [atoms, count] : releases) {
    low.transform(atoms.at, atoms.mass, fft, one);
    multiply(all, all.size(), one, count);
    all.resize(cut_band(all, all.size()));
  }
  return std::make_unique<BandTails>(all, circle, fft);
}

std::unique_ptr<LossTails> grid_tails(const std::vector<CountedAtoms>& releases, const Circle& circle, Fft& fft) {
  std::vector<double> values(circle.size);
  Spectrum one;
  Spectrum all(circle.size / 2 + 1, 1.0);
  std::size_t band = all.size();
  for (const auto& [atoms, count] : releases) {
    add_onto_circle(atoms, values);
    fft.forward(values, one);
    multiply(all, band, one, count);
    band = cut_band(all, band);
  }
  fft.backward(all, values);
  const auto first = static_cast<std::uint64_t>(circle.first) & (circle.size - 1);
  std::rotate(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(first), values.end());
  return std::make_unique<GridTails>(values, circle.scale);
}

}  // namespace

LossWindow::LossWindow(std::vector<CountedAtoms> releases, const WindowPlan& plan, Side side, Fft& fft)
    : interval_(plan.interval),
      tilt_(plan.tilt),
      centre_(plan.interval * static_cast<double>(plan.centre)),
      first_(plan.centre - plan.size / 2),
      size_(static_cast<std::size_t>(plan.size)) {
  double total = 0;
  for (auto& [atoms, count] : releases) {
    log_scale_ += count * tilt_masses(atoms, tilt_ * interval_);
    at_infinity_ += count * atoms.at_infinity;
    total += count;
  }
  log_scale_ -= tilt_ * centre_;
  // What the window leaves out above, with a thousandfold margin.
  if (side == Side::upper) at_infinity_ += std::exp(log_weight(loss(size_)) - 39);
  const Circle circle{size_, first_, {tilt_ * interval_, interval_, total, side}};
  const auto few = few_frequencies(releases, size_, fft);
  tails_ = few > 0 ? band_tails(releases, few, circle, fft) : grid_tails(releases, circle, fft);
  const auto [first, last] = tails_->reliable();
  reliable_from_ = tilt_ == 0 ? -infinity : first <= last ? loss(first) : infinity;
  reliable_to_ = first <= last ? loss(last) : -infinity;
}

/// Of the point, less what is at infinity.
double LossWindow::log_delta(std::size_t i) const { return log_weight(loss(i)) + std::log(tails_->at(i).delta); }

std::size_t LossWindow::first_not_above(double log_delta_asked) const {
  std::size_t low = 0;
  std::size_t high = size_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (log_delta(middle) > log_delta_asked) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

double LossWindow::delta(double epsilon) const {
  const double place = std::ceil(epsilon / interval_) - static_cast<double>(first_);
  if (place >= static_cast<double>(size_)) return at_infinity_;
  const auto i = static_cast<std::size_t>(std::max(place, 0.0));
  const auto [reach, delta] = tails_->at(i);
  // Between grid points delta is linear in e^epsilon: reach - e^(epsilon - x) (reach - delta(x)).
  const double back = -std::expm1(epsilon - loss(i));
  return std::exp(log_weight(loss(i))) * (delta + back * (reach - delta)) + at_infinity_;
}

double LossWindow::epsilon(double delta) const {
  const double log_target = std::log(delta - at_infinity_);
  if (!(delta > at_infinity_)) return infinity;
  const std::size_t i = first_not_above(log_target);
  if (i == size_) return infinity;
  const auto tail = tails_->at(i);
  const double target = std::exp(log_target - log_weight(loss(i)));
  const double ahead = tail.reach - tail.delta;
  if (i == 0 && (tilt_ > 0 || target >= tail.reach)) return -infinity;
  if (target >= tail.reach || ahead <= 0) return loss(i);
  return loss(i) + std::min(std::log1p(-(target - tail.delta) / ahead), 0.0);
}

}  // namespace ghostgrad::privacy
