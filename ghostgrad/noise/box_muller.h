// SPDX-License-Identifier: Apache-2.0
// The kernel of the noise: from random bits to pairs of exactly rounded normals [Box58].
//
//     z_0 = sqrt(-2 ln u) cos(2 pi v),   z_1 = sqrt(-2 ln u) sin(2 pi v),   n_j = rint(s z_j)
//     u = (U + 1/2) / 2^256,  v = V / 2^128            U of four words, V of two, the first word the most significant
//
// Almost always the first word of U and of V decide, in float64: what the words to come can add and what float64 rounds off is
// below 2^-46 s (functions of libm within 4 units in the last place; tests measure it), so n is settled unless s z lies within
// 2^-42 s of a half-integer. Then, and in the tails (u < 2^-18, 1 - u < 2^-30), all six words are read and evaluated with 168 bits.
// So n is a fixed function of the words, whichever arithmetic found it: a faster kernel must give the same bits.
//
// How good are 384 bits? s z as computed is within 2^-120 s of its value for infinitely many, unless u or 1 - u is below 2^-120; a
// half-integer is that near with probability 2^-119 s, far below the 2^(k - 103) that gaussian.h states. |z| ends at 18.8.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>

namespace ghostgrad::noise {

/// The words of a pair that are rarely needed: the second to fourth of U, the second of V.
using FurtherBits = std::array<uint64_t, 4>;

/// Pair i makes out[2 i] and out[2 i + 1] from words[2 i] (of U), words[2 i + 1] (of V) and, when they leave it open, further(i).
/// Without side effects but on out. words.size() is out.size(), rounded up to even; 0 < deviation <= 2^40.
void box_muller(std::span<int64_t> out, double deviation, std::span<const uint64_t> words,
                const std::function<FurtherBits(uint64_t)>& further);

}  // namespace ghostgrad::noise
