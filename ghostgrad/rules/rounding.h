// SPDX-License-Identifier: Apache-2.0
// What float32 may hide from a norm. Where the positions of an example cancel, G_i is short beside the pieces it is the sum of; the rounding
// of those pieces can then make a ghost norm come out too short, even negative, and the clipped sum, formed in another order, longer than
// its norm said. Where a factor is tiny and the other huge, the square of the tiny one underflows. Each would lift the example above C.
//
//     |G_i|^2 = sum of products of lengths l_t, each off by a few u:        off by at most 4 u (sum_t l_t)^2
//     G_i = sum of T pieces of length l_t:                                  two ways apart by at most 4 u sqrt(T sum_t l_t^2)
//                                                                           [Higham19, Thm. 2.4]; u = 2^-24 for float32
//
//     return raised(settled(term, squares, rounding_of_squares(unit, lengths), lost), term.rounding());
//
// Guarantee: norms that are good enough stay as they are, the others are formed again in float64 (`settled`) and raised where the sum's own
// rounding asks for it (`raised`). Either leaves a norm too short by at most kAllowance of itself, which the noise covers
// (engine/release.cpp); norms below kShortest may be anything below it, which clip functions do not tell apart (clip/clip_function.cpp).
#pragma once

#include "ghostgrad/rules/term.h"

namespace ghostgrad::rules {

/// The part of a norm by which each of `settled` and `raised` may leave it too short.
inline constexpr double kAllowance = 0x1p-13;

/// Norms are not told apart below this.
inline constexpr double kShortest = 1e-12;

/// u, half the distance from 1 to the next number.
[[nodiscard]] double unit_of(const at::Tensor& formed);

/// Bound on the L2 distance between two sums of the same T outer products, sum_t a_t b_t^T, given `squares` = sum_t |a_t|^2 |b_t|^2: [B] -> [B]
[[nodiscard]] at::Tensor rounding_of_sums(double unit, int64_t positions, const at::Tensor& squares);

/// Bound on the error of a squared norm that is a sum of products of such pieces: lengths [B] -> [B]
[[nodiscard]] at::Tensor rounding_of_squares(double unit, const at::Tensor& lengths);

/// A vector may be longer by this than the root of its sum of squares, each of which may underflow.
[[nodiscard]] double lost_length(int64_t elements, const at::Tensor& formed);

/// The squared norms [B] of a term, formed again in float64 for each example whose own may be off by more than the allowance. rounding [B]:
/// bound on their error; lost [B]: bound on the length of what of G_i underflowed. -> [B], not negative
[[nodiscard]] at::Tensor settled(const Term& term, const at::Tensor& squares, const at::Tensor& rounding, const at::Tensor& lost);

/// Squared norms made long enough for a sum whose part of the example lies up to `rounding` away. squares [B], rounding [B] or [] -> [B]
[[nodiscard]] at::Tensor raised(const at::Tensor& squares, const at::Tensor& rounding);

}  // namespace ghostgrad::rules
