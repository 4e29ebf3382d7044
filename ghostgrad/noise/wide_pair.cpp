// SPDX-License-Identifier: Apache-2.0
#include <boost/math/constants/constants.hpp>
#include <boost/multiprecision/cpp_bin_float.hpp>

#include "ghostgrad/noise/rounded_pair.h"

namespace ghostgrad::noise {
namespace {

using Wide = boost::multiprecision::cpp_bin_float_50;  // 168 bits of precision, in portable integer arithmetic

// 0.w_0 w_1 ... w_k + tail as a fraction of 2^64-ary digits.
Wide fraction(std::initializer_list<uint64_t> digits, const Wide& tail) {
  Wide value = tail;
  for (auto digit = std::rbegin(digits); digit != std::rend(digits); ++digit) value = ldexp(Wide(*digit) + value, -64);
  return value;
}

int64_t nearest(const Wide& y) { return static_cast<int64_t>(floor(y + 0.5)); }

}  // namespace

std::array<int64_t, 2> wide_pair(uint64_t u, uint64_t v, const FurtherBits& further, double deviation) {
  const Wide radius = deviation * sqrt(-2 * log(fraction({u, further[0], further[1], further[2]}, 0.5)));
  const Turn turn = nearest_quarter(v, further[3]);
  const Wide rest = ldexp(Wide(turn.rest) + fraction({further[3] << 2}, 0), -66);
  const Wide angle = rest * boost::math::constants::two_pi<Wide>();
  const auto y = turned<Wide>(turn.quarters, radius * cos(angle), radius * sin(angle));
  return {nearest(y[0]), nearest(y[1])};
}

}  // namespace ghostgrad::noise
