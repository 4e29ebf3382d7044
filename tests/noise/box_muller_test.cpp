// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/noise/box_muller.h"

#include "tests/noise/golden.h"
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "ghostgrad/noise/rounded_pair.h"

namespace ghostgrad::noise {
namespace {

constexpr double kDeviation = 0x1p24 * 1.37;

// Bits are a test's here, not a mechanism's: a public generator will do.
struct Bits {
  std::mt19937_64 engine{1};
  FurtherBits further() { return {engine(), engine(), engine(), engine()}; }
};

std::array<int64_t, 2> kernel_pair(uint64_t u, uint64_t v, const FurtherBits& further, double deviation, int* asked = nullptr) {
  std::array<int64_t, 2> out{};
  const std::array<uint64_t, 2> words{u, v};
  box_muller(out, deviation, words, [&](uint64_t pair) {
    EXPECT_EQ(pair, 0U);
    if (asked != nullptr) ++*asked;
    return further;
  });
  return out;
}

TEST(WidePair, EqualsAnIndependentEvaluationWith120Digits) {
  for (const auto& row : kGolden) {
    const auto n = wide_pair(row.u, row.v, row.further, row.deviation);
    EXPECT_EQ(n[0], row.n0) << std::hex << row.u << " " << row.v;
    EXPECT_EQ(n[1], row.n1) << std::hex << row.u << " " << row.v;
  }
}

TEST(BoxMuller, EqualsAnIndependentEvaluationWith120Digits) {
  for (const auto& row : kGolden) {
    const auto n = kernel_pair(row.u, row.v, row.further, row.deviation);
    EXPECT_EQ(n[0], row.n0) << std::hex << row.u << " " << row.v;
    EXPECT_EQ(n[1], row.n1) << std::hex << row.u << " " << row.v;
  }
}

void expect_same_as_wide(int pairs) {
  Bits bits;
  for (int i = 0; i < pairs; ++i) {
    const auto u = bits.engine(), v = bits.engine();
    const auto further = bits.further();
    EXPECT_EQ(kernel_pair(u, v, further, kDeviation), wide_pair(u, v, further, kDeviation)) << std::hex << u << " " << v;
  }
}

TEST(BoxMuller, AlwaysGivesWhatAllBitsGive) { expect_same_as_wide(2'000); }
TEST(BoxMuller, AlwaysGivesWhatAllBitsGiveSlow) { expect_same_as_wide(200'000); }

// The claim of the header, on its whole range: bits near both ends of u and near the eighths of a turn as often as any others.
double worst_float_error(int pairs) {
  Bits bits;
  double worst = 0;
  for (int i = 0; i < pairs; ++i) {
    uint64_t u = bits.engine(), v = bits.engine();
    if (i % 4 == 1) u = (uint64_t{1} << 46) + (u >> (18 + i % 40));
    if (i % 4 == 2) u = ~uint64_t{0} - (uint64_t{1} << 34) - 1 - (u >> (30 + i % 30));
    if (i % 3 == 1) v = (v & uint64_t{7} << 61) + (v >> (3 + i % 50));
    const auto wide = wide_pair(u, v, bits.further(), 0x1p56);
    const auto narrow = float_pair(u, v);
    for (size_t j = 0; j < 2; ++j)
      worst = std::max(worst, std::abs(std::ldexp(static_cast<double>(wide[j] - std::llrint(std::ldexp(narrow[j], 56))), -56)));
  }
  return worst;
}

TEST(FloatPair, IsWithinTheStatedErrorOnItsRange) {
  const double worst = worst_float_error(10'000);
  EXPECT_LT(worst, 0x1p-46);  // 2^-48 when written
  EXPECT_GT(worst, 0x1p-56);  // the comparison is not of a thing with itself
}
TEST(FloatPair, IsWithinTheStatedErrorOnItsRangeSlow) { EXPECT_LT(worst_float_error(500'000), 0x1p-46); }

TEST(BoxMuller, AsksForFurtherBitsInTheTailsAndNearHalfIntegersOnly) {
  int asked = 0;
  constexpr uint64_t kMiddle = uint64_t{1} << 63, kFirst = uint64_t{1} << 46, kLast = ~uint64_t{0} - (uint64_t{1} << 34) - 1;
  const uint64_t v = 0x1234'5678'9abc'def0U;
  for (const auto u : {kFirst, kMiddle, kLast}) (void)kernel_pair(u, v, {}, 1000.0, &asked);
  EXPECT_EQ(asked, 0);
  for (const auto u : {uint64_t{0}, kFirst - 1, kLast + 1, ~uint64_t{0}}) (void)kernel_pair(u, v, {}, 1000.0, &asked);
  EXPECT_EQ(asked, 4);
  const double z = float_pair(kMiddle, v)[0];
  (void)kernel_pair(kMiddle, v, {}, 0.5 / z, &asked);  // s z_0 = 1/2
  EXPECT_EQ(asked, 5);
  (void)kernel_pair(kMiddle, v, {}, (0.5 + 0x1p-40) / z, &asked);
  EXPECT_EQ(asked, 5);
}

// s z_j within 2^-42 s of a half-integer: 2^-41 s each, s = 1.37 2^24, so 2.1e-5 per pair; the tails 0.4e-5. 52 of 2^21 pairs; five
// deviations.
TEST(BoxMuller, AsksForFurtherBitsAboutOncePer40000Pairs) {
  Bits bits;
  std::vector<uint64_t> words(size_t{1} << 22);
  for (auto& word : words) word = bits.engine();
  std::vector<int64_t> out(words.size());
  int asked = 0;
  box_muller(out, kDeviation, words, [&](uint64_t) { return ++asked, bits.further(); });
  EXPECT_NEAR(asked, 52, 36);
}

TEST(BoxMuller, ReachesFarIntoTheTailWhenTheBitsSaySo) {
  const FurtherBits zeros{};
  EXPECT_EQ(kernel_pair(uint64_t{1} << 40, 0, zeros, 1e6)[0], 5'768'108);                             // sqrt(-2 ln 2^-24) = 5.7681
  EXPECT_EQ(kernel_pair(1, 0, zeros, 1e6)[0], 9'419'280);                                             // sqrt(-2 ln 2^-64)
  EXPECT_EQ(kernel_pair(0, 0, {uint64_t{1} << 63, 0, 0, 0}, 1e6)[0], 9'492'583);                      // sqrt(-2 ln 2^-65)
  EXPECT_EQ(kernel_pair(0, uint64_t{1} << 63, zeros, 1e6)[0], -18'875'319);                           // u = 2^-257: the last there is
  EXPECT_EQ(kernel_pair(~uint64_t{0}, 0, {~uint64_t{0}, ~uint64_t{0}, ~uint64_t{0}, 0}, 1e6)[0], 0);  // u = 1 - 2^-257
}

TEST(BoxMuller, LeavesOutTheLastOfAnOddNumber) {
  Bits bits;
  std::vector<uint64_t> words(8);
  for (auto& word : words) word = bits.engine();
  std::vector<int64_t> even(8), odd(7);
  const auto further = [](uint64_t) { return FurtherBits{}; };
  box_muller(even, kDeviation, words, further);
  box_muller(odd, kDeviation, words, further);
  EXPECT_TRUE(std::equal(odd.begin(), odd.end(), even.begin()));
}

}  // namespace
}  // namespace ghostgrad::noise
