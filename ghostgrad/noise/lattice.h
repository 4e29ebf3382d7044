// SPDX-License-Identifier: Apache-2.0
// The public lattice on which clipped sums are added up and noise is drawn, so that no floating-point grid can give a sum away.
//
//     r = 2^(floor(log2(sigma C)) - k),   k = 24 (27 from 10^6 parameters)            from public values only
//
//     const Lattice lattice = make_lattice(sigma, C, dimension);
//     at::Tensor units = to_lattice(sum, lattice);                // int64: rint(sum / r)
//
// Guarantee: integer units add up in any order to the same bits; r is a power of two, so units * r is exact in float64 below 2^53 units.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace ghostgrad::noise {

struct Lattice {
  double resolution = 1.0;  // r
};

/// Requires 2^-900 <= noise_multiplier * threshold <= 2^900. Errors: InvalidArgument.
[[nodiscard]] Lattice make_lattice(double noise_multiplier, double threshold, int64_t dimension);

/// rint(values / r) as int64, ties to even. Errors: PrivacyError when a value is not finite or not below 2^51 units.
[[nodiscard]] at::Tensor to_lattice(const at::Tensor& values, const Lattice& lattice);

/// totals += rint(values / r), in one pass over both; totals: int64, contiguous, of the same number of elements. Errors as above; totals is
/// then of no use any more.
void add_to_lattice(const at::Tensor& totals, const at::Tensor& values, const Lattice& lattice);

/// units * r as float64.
[[nodiscard]] at::Tensor from_lattice(const at::Tensor& units, const Lattice& lattice);

}  // namespace ghostgrad::noise
