// SPDX-License-Identifier: Apache-2.0
// Gaussian noise in whole lattice units, exactly rounded:  n = rint(s z),  z standard normal,  s = sigma C' / r.
//
// The sum m is an integer number of units, so m + rint(s z) = rint(m + s z): what is released is post-processing of the continuous
// Gaussian mechanism with noise multiplier sigma at threshold C', and its ordinary accountants hold. The grid of floating-point
// numbers, which gives sums away [Mir12], is never seen: every release is a multiple of r.
//
//     at::Tensor units = noise::gaussian(sum.sizes(), sigma * C_prime / lattice.resolution, key, {Purpose::noise, step, tensor, rank});
//     gradient = noise::from_lattice(sum + units, lattice);
//
// Guarantee: with z rounded from a limited number of random bits by a generator of limited precision, (eps, delta) becomes
// (eps, delta + (1 + e^eps) tau + Adv_PRF). tau <= d T 2^(k - 103) for d parameters, T releases and a lattice of k bits is the
// probability that some n is not the rounding of an ideal normal (box_muller.h); Adv_PRF is the advantage of telling AES-256 in
// counter mode from random bits. The same key and id give the same n for every number of threads: one use of each pair only.
#pragma once

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

#include "ghostgrad/random/stream.h"

namespace ghostgrad::noise {

/// Fills out with n = rint(deviation z). Errors: InvalidArgument unless 0 < deviation <= 2^40.
void fill_gaussian(std::span<int64_t> out, double deviation, const random::Key& key, random::StreamId id);

/// The same as a new int64 tensor on the CPU.
[[nodiscard]] at::Tensor gaussian(at::IntArrayRef sizes, double deviation, const random::Key& key, random::StreamId id);

}  // namespace ghostgrad::noise
