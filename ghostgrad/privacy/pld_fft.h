// SPDX-License-Identifier: Apache-2.0
// The discrete Fourier transform of real sequences: the one place that knows the library for it (Eigen's KissFFT).
//
//     Fft fft;
//     fft.forward(values, spectrum);      // n reals -> n / 2 + 1 complex numbers; n a power of two >= 4
//     fft.backward(spectrum, values);     // the inverse, divided by n
//
// An object keeps the twiddle factors of every size it has seen; one thread at a time.
#pragma once

#include <complex>
#include <memory>
#include <vector>

namespace ghostgrad::privacy {

using Spectrum = std::vector<std::complex<double>>;

class Fft {
 public:
  Fft();
  ~Fft();

  void forward(const std::vector<double>& values, Spectrum& spectrum);
  void backward(const Spectrum& spectrum, std::vector<double>& values);

 private:
  struct Plans;
  std::unique_ptr<Plans> plans_;
};

}  // namespace ghostgrad::privacy
