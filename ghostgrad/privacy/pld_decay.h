// SPDX-License-Identifier: Apache-2.0
// From which frequency on the transform of a run is negligible, proven from few samples of the transforms of its releases: with m the
// mean distance of a release's losses from their mean,
//
//     |phi(theta)| <= |phi(theta_k)| + m |theta - theta_k|
//
// because e^(i theta x) turns no faster than x. The more releases, the fewer frequencies: some hundreds of a million, often.
//
//     SpectrumDecay decay(circle, places, masses);              // the first release chooses how many samples
//     decay.add(places, masses, count, fft);
//     decay.frequencies();      // those from there on are below 1e-25, all releases taken together
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ghostgrad/privacy/pld_fft.h"

namespace ghostgrad::privacy {

class SpectrumDecay {
 public:
  /// The masses lie at multiples of 2 pi / circle of the angle, and add up to 1; so do those that are added.
  SpectrumDecay(std::size_t circle, std::span<const std::int64_t> places, std::span<const double> masses);

  void add(std::span<const std::int64_t> places, std::span<const double> masses, double count, Fft& fft);

  /// Of the circle; more than half of it where all of them matter.
  [[nodiscard]] std::size_t frequencies() const;

 private:
  std::size_t circle_;
  std::vector<double> values_;
  Spectrum samples_{};
  std::vector<double> log_size_;  // of the product, near each sampled frequency at most
};

}  // namespace ghostgrad::privacy
