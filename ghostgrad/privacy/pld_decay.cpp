// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_decay.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace ghostgrad::privacy {
namespace {

constexpr double log_negligible = -58;  // 1e-25
constexpr double transform_error = 1e-14;

/// sum of mass |place - mean|.
double mean_distance(std::span<const std::int64_t> places, std::span<const double> masses) {
  double mean = 0;
  for (std::size_t i = 0; i < places.size(); ++i) mean += masses[i] * static_cast<double>(places[i]);
  double sum = 0;
  for (std::size_t i = 0; i < places.size(); ++i) sum += masses[i] * std::abs(static_cast<double>(places[i]) - mean);
  return sum;
}

/// So many that the transform moves by less than 0.05 between a frequency and the nearest sample; but where that takes most of the
/// circle, nothing is saved.
std::size_t samples_for(double distance, std::size_t circle) {
  return std::min(std::bit_ceil(static_cast<std::size_t>(64 * distance) + 256), circle / 8);
}

}  // namespace

SpectrumDecay::SpectrumDecay(std::size_t circle, std::span<const std::int64_t> places, std::span<const double> masses)
    : circle_(circle), values_(samples_for(mean_distance(places, masses), circle)), log_size_(values_.size() / 2 + 1, 0) {}

void SpectrumDecay::add(std::span<const std::int64_t> places, std::span<const double> masses, double count, Fft& fft) {
  const auto samples = values_.size();
  std::ranges::fill(values_, 0.0);
  for (std::size_t i = 0; i < places.size(); ++i) values_[static_cast<std::uint64_t>(places[i]) & (samples - 1)] += masses[i];
  fft.forward(values_, samples_);
  const double slack = mean_distance(places, masses) * std::numbers::pi / static_cast<double>(samples) + transform_error;
  for (std::size_t k = 0; k < log_size_.size(); ++k) log_size_[k] += count * std::log(std::min(std::abs(samples_[k]) + slack, 1.0));
}

std::size_t SpectrumDecay::frequencies() const {
  const auto last = std::find_if(log_size_.rbegin(), log_size_.rend(), [](double each) { return each > log_negligible; });
  const auto samples = static_cast<std::size_t>(log_size_.rend() - last);
  return samples * (circle_ / values_.size());
}

}  // namespace ghostgrad::privacy
