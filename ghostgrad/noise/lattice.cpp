// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/noise/lattice.h"

#include <fmt/format.h>

#include <cmath>

#include "ghostgrad/base/error.h"

namespace ghostgrad::noise {
namespace {

constexpr double kLargest = 4503599627370496.0;  // 2^52 units: exact in float64

}  // namespace

Lattice make_lattice(double noise_multiplier, double threshold, int64_t dimension) {
  const double scale = noise_multiplier * threshold;
  if (!(scale > 0) || !std::isfinite(scale)) {
    throw base::InvalidArgument("noise", "noise multiplier times threshold must be positive and finite", fmt::to_string(scale),
                                "use a positive noise multiplier and threshold (a noise multiplier of 0 has no lattice)");
  }
  const int bits = dimension >= 1'000'000'000 ? 27 : 24;
  return {std::ldexp(1.0, std::ilogb(scale) - bits)};
}

at::Tensor to_lattice(const at::Tensor& values, const Lattice& lattice) {
  const at::Tensor units = values.to(at::kDouble).mul_(1.0 / lattice.resolution).round_();
  if (units.numel() > 0 && !(units.abs().max().item<double>() <= kLargest)) {
    throw base::PrivacyError("clipped sum", "must be finite and below 2^52 lattice units", "a larger or non-finite value",
                             "lower the threshold or the size of the logical batch, or raise the noise multiplier");
  }
  return units.to(at::kLong);
}

at::Tensor from_lattice(const at::Tensor& units, const Lattice& lattice) { return units.to(at::kDouble).mul_(lattice.resolution); }

}  // namespace ghostgrad::noise
