// SPDX-License-Identifier: Apache-2.0
// The two arithmetics of box_muller.h, one pair at a time: float64 on the first words, 168 bits on all of them.
//
// Both turn the angle in the same way: v is split into the nearest quarter turn and a rest of at most an eighth, so that sine and
// cosine are only taken on [-pi/4, pi/4].
#pragma once

#include "ghostgrad/noise/box_muller.h"

namespace ghostgrad::noise {

/// A turn of quarters / 4 + rest / 2^66, the rest in [-2^63, 2^63).
struct Turn {
  unsigned quarters;
  int64_t rest;
};

/// v counts 2^-64 turns; its two lowest bits' successors are not in rest.
inline Turn nearest_quarter(uint64_t v, uint64_t next = 0) {
  const auto rest = static_cast<int64_t>(v << 2 | next >> 62);
  return {static_cast<unsigned>(v >> 62) + (rest < 0 ? 1U : 0U), rest};
}

/// (x, y) turned by that many quarters.
template <class Real>
std::array<Real, 2> turned(unsigned quarters, Real x, Real y) {
  switch (quarters % 4) {
    case 0:
      return {x, y};
    case 1:
      return {-y, x};
    case 2:
      return {-x, -y};
    default:
      return {y, -x};
  }
}

/// (z_0, z_1) by float64 from the first words; within 2^-46 for u in [2^-18, 1 - 2^-30].
[[nodiscard]] std::array<double, 2> float_pair(uint64_t u, uint64_t v);

/// (rint(s z_0), rint(s z_1)) from all words.
[[nodiscard]] std::array<int64_t, 2> wide_pair(uint64_t u, uint64_t v, const FurtherBits& further, double deviation);

}  // namespace ghostgrad::noise
