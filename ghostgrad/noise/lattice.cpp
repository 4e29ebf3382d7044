// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/noise/lattice.h"

#include <atomic>
#include <bit>
#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::noise {
namespace {

constexpr double kSmallestScale = 0x1p-900, kLargestScale = 0x1p900;  // r, 1 / r and 2^52 r are normal numbers
// x + 1.5 * 2^52 has the integer nearest to x in its low bits: one addition rounds, ties to even. It lies in [2^52, 2^53), and so has
// this exponent, just when the integer is in [-2^51, 2^51): the same bits tell what is too large or not finite. No comparison, no branch:
// compilers vectorise it, and memory is what it waits for.
constexpr double kRounder = 0x1.8p52;
constexpr int kExponentShift = 52;

/// Adds the rounded values; false if one of them is not finite or too large.
template <class Value>
bool add_rounded(int64_t* total, const Value* value, int64_t count, double inverse) {
  constexpr auto kZero = std::bit_cast<int64_t>(kRounder);
  int64_t differing = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<int64_t>(static_cast<double>(value[i]) * inverse + kRounder);
    differing |= bits ^ kZero;
    total[i] += bits - kZero;
  }
  return (differing >> kExponentShift) == 0;
}

template <class Value>
bool add_all(const at::Tensor& totals, const at::Tensor& values, double inverse) {
  constexpr int64_t kGrain = 1 << 15;
  int64_t* total = totals.data_ptr<int64_t>();
  const Value* value = values.const_data_ptr<Value>();
  std::atomic<bool> good{true};
  at::parallel_for(0, values.numel(), kGrain, [&](int64_t begin, int64_t end) {
    if (!add_rounded(total + begin, value + begin, end - begin, inverse)) good = false;
  });
  return good;
}

}  // namespace

Lattice make_lattice(double noise_multiplier, double threshold, int64_t dimension) {
  const double scale = noise_multiplier * threshold;
  if (!(scale >= kSmallestScale && scale <= kLargestScale)) {
    throw base::InvalidArgument("noise", "noise multiplier times threshold must lie between 2^-900 and 2^900", fmt::to_string(scale),
                                "use a positive noise multiplier and threshold (a noise multiplier of 0 has no lattice)");
  }
  const int bits = dimension >= 1'000'000 ? 27 : 24;
  return {std::ldexp(1.0, std::ilogb(scale) - bits)};
}

at::Tensor to_lattice(const at::Tensor& values, const Lattice& lattice) {
  at::Tensor units = at::zeros(values.sizes(), at::kLong);
  add_to_lattice(units, values, lattice);
  return units;
}

void add_to_lattice(const at::Tensor& totals, const at::Tensor& values, const Lattice& lattice) {
  if (values.sizes() != totals.sizes()) {
    throw base::InvalidArgument("parameters", "must keep their shapes within a logical batch", "another shape",
                                "call step() or discard() before a parameter is resized");
  }
  const bool single = values.scalar_type() == at::kFloat;
  const at::Tensor dense = (single ? values : values.to(at::kDouble)).to(at::kCPU).contiguous();
  const double inverse = 1.0 / lattice.resolution;
  if (!(single ? add_all<float>(totals, dense, inverse) : add_all<double>(totals, dense, inverse))) {
    throw base::PrivacyError("clipped sum", "must be finite and below 2^51 lattice units", "a larger or non-finite value",
                             "lower the threshold or the size of the logical batch, or raise the noise multiplier");
  }
}

at::Tensor from_lattice(const at::Tensor& units, const Lattice& lattice) { return units.to(at::kDouble).mul_(lattice.resolution); }

}  // namespace ghostgrad::noise
