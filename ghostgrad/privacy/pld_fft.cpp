// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_fft.h"

#include <unsupported/Eigen/FFT>

namespace ghostgrad::privacy {

struct Fft::Plans {
  Eigen::FFT<double> fft{Eigen::default_fft_impl<double>(), Eigen::FFT<double>::HalfSpectrum};
};

Fft::Fft() : plans_(std::make_unique<Plans>()) {}
Fft::~Fft() = default;

void Fft::forward(const std::vector<double>& values, Spectrum& spectrum) {
  spectrum.resize(values.size() / 2 + 1);
  plans_->fft.fwd(spectrum.data(), values.data(), static_cast<Eigen::Index>(values.size()));
}

void Fft::backward(const Spectrum& spectrum, std::vector<double>& values) {
  values.resize(2 * (spectrum.size() - 1));
  plans_->fft.inv(values.data(), spectrum.data(), static_cast<Eigen::Index>(values.size()));
}

}  // namespace ghostgrad::privacy
