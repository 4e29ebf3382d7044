// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/noise/box_muller.h"

#include <cmath>
#include <numbers>

#include "ghostgrad/noise/rounded_pair.h"

namespace ghostgrad::noise {
namespace {

// u >= 2^-18 and 1 - u >= 2^-30: elsewhere the words to come move z by more than float64 rounds off.
bool is_central(uint64_t u) { return u >= uint64_t{1} << 46 && u < ~uint64_t{0} - (uint64_t{1} << 34); }

// True if y is farther than margin from the half-integers; every operation here is exact.
bool is_settled(double y, double margin) { return std::abs(y - std::floor(y) - 0.5) > margin; }

int64_t round_settled(double y) { return static_cast<int64_t>(std::floor(y) + (y - std::floor(y) > 0.5 ? 1 : 0)); }

}  // namespace

std::array<double, 2> float_pair(uint64_t u, uint64_t v) {
  const double up = static_cast<double>(u) * 0x1p-64, down = static_cast<double>(~u) * 0x1p-64;
  const double log = up < 0.5 ? std::log(up) : std::log1p(-down);  // each with full relative precision on its half
  const double radius = std::sqrt(-2 * log);
  const Turn turn = nearest_quarter(v);
  const double angle = static_cast<double>(turn.rest) * 0x1p-64 * (0.5 * std::numbers::pi);
  return turned(turn.quarters, radius * std::cos(angle), radius * std::sin(angle));
}

void box_muller(std::span<int64_t> out, double deviation, std::span<const uint64_t> words,
                const std::function<FurtherBits(uint64_t)>& further) {
  const double margin = deviation * 0x1p-42;
  for (size_t i = 0; i < out.size(); i += 2) {
    const uint64_t u = words[i], v = words[i + 1];
    const auto z = float_pair(u, v);
    const double y0 = deviation * z[0], y1 = deviation * z[1];
    std::array<int64_t, 2> n;
    if (is_central(u) && is_settled(y0, margin) && is_settled(y1, margin)) {
      n = {round_settled(y0), round_settled(y1)};
    } else {
      n = wide_pair(u, v, further(i / 2), deviation);
    }
    out[i] = n[0];
    if (i + 1 < out.size()) out[i + 1] = n[1];
  }
}

}  // namespace ghostgrad::noise
