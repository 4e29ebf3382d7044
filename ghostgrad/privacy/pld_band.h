// SPDX-License-Identifier: Apache-2.0
// The lowest frequencies of the transform of a few atoms on a large circle, without a transform of the circle: the atoms are spread over a
// coarse circle by a Kaiser-Bessel kernel, whose known transform is divided out of the coarse one [DR93]. Frequencies fold into one
// another to 1e-17 of the atoms' sum at most, less than a transform's rounding errors.
//
//     LowBand band(1 << 16, 1024);                        // of a circle of 65,536 points: the lowest 1,024 of its frequencies
//     band.transform(places, masses, fft, spectrum);      // as Fft::forward, up to there
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ghostgrad/privacy/pld_fft.h"

namespace ghostgrad::privacy {

class LowBand {
 public:
  /// Both are powers of two; at least 16 frequencies, and at most an eighth of the circle.
  LowBand(std::size_t circle, std::size_t frequencies);

  /// The masses add up to 1.
  void transform(std::span<const std::int64_t> places, std::span<const double> masses, Fft& fft, Spectrum& spectrum);

 private:
  std::size_t step_;                // points of the circle from one coarse point to the next
  std::vector<double> kernel_;      // its values at the coarse points next to each point of the circle between two of them
  std::vector<double> correction_;  // one over its transform
  std::vector<double> coarse_;
  Spectrum folded_{};
};

}  // namespace ghostgrad::privacy
