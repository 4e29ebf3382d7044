// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_band.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <boost/math/special_functions/bessel.hpp>

namespace ghostgrad::privacy {
namespace {

constexpr std::size_t width = 16;              // of the kernel, in coarse points
constexpr std::size_t before = width / 2 - 1;  // of them below an atom
constexpr std::size_t oversampling = 8;        // coarse points per frequency
// With this shape the kernel's transform is past its peak where the first frequencies fold: at 7/8 of the sampling rate.
constexpr auto shape = std::numbers::pi_v<long double> * width * 7 / 8;

// Longer than double, because errors are the same for all releases, and their exponents are large.
double kernel_at(double distance) {
  const long double share = 2 * distance / width;
  return static_cast<double>(boost::math::cyl_bessel_i(0, shape * std::sqrt(std::max(1 - share * share, 0.0L))));
}

/// The kernel's transform, at a frequency in units of the sampling rate.
double kernel_transform(double frequency) {
  const auto phase = std::numbers::pi_v<long double> * width * frequency;
  const auto root = std::sqrt(shape * shape - phase * phase);
  return static_cast<double>(width * std::sinh(root) / root);
}

}  // namespace

LowBand::LowBand(std::size_t circle, std::size_t frequencies)
    : step_(circle / (oversampling * frequencies)), kernel_(step_ * width), correction_(frequencies), coarse_(oversampling * frequencies) {
  for (std::size_t offset = 0; offset < step_; ++offset) {
    const double behind = static_cast<double>(offset) / static_cast<double>(step_);
    for (std::size_t i = 0; i < width; ++i)
      kernel_[offset * width + i] = kernel_at(static_cast<double>(i) - static_cast<double>(before) - behind);
  }
  for (std::size_t k = 0; k < correction_.size(); ++k)
    correction_[k] = 1 / kernel_transform(static_cast<double>(k) / static_cast<double>(coarse_.size()));
}

void LowBand::transform(std::span<const std::int64_t> places, std::span<const double> masses, Fft& fft, Spectrum& spectrum) {
  std::ranges::fill(coarse_, 0.0);
  const std::size_t mask = coarse_.size() - 1;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto place = static_cast<std::uint64_t>(places[i]);
    const double* kernel = &kernel_[place % step_ * width];
    const std::size_t first = place / step_ - before;
    for (std::size_t j = 0; j < width; ++j) coarse_[(first + j) & mask] += masses[i] * kernel[j];
  }
  fft.forward(coarse_, folded_);
  spectrum.resize(correction_.size());
  const double scale = 1 / (folded_[0].real() * correction_[0]);  // its error is that of the other frequencies too
  for (std::size_t k = 0; k < spectrum.size(); ++k) spectrum[k] = folded_[k] * (correction_[k] * scale);
  spectrum[0] = 1;
}

}  // namespace ghostgrad::privacy
