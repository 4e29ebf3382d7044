// SPDX-License-Identifier: Apache-2.0
// A coin that is exact for every double q: is a uniform real U in [0, 1) below q?
//
// U's binary digits come 64 at a time and are compared with those of q; the first word that differs decides. Every operation on q
// is exact, so P(true) = q, not a rounded neighbour of it, also far below 2^-64.
//
//     uniform_is_below(q, [&] { return stream.next_u64(); })       // Stream::bernoulli(q) is this
#pragma once

#include <cstdint>

namespace ghostgrad::random {

/// q in [0, 1]; next_word gives uniform 64-bit words, nearly always one of them.
template <class NextWord>
[[nodiscard]] bool uniform_is_below(double q, NextWord next_word) {
  if (q >= 1) return true;
  while (q > 0) {
    q *= 0x1p64;
    const auto digits = static_cast<std::uint64_t>(q);
    q -= static_cast<double>(digits);
    if (const std::uint64_t drawn = next_word(); drawn != digits) return drawn < digits;
  }
  return false;
}

}  // namespace ghostgrad::random
