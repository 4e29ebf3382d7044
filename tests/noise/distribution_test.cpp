// SPDX-License-Identifier: Apache-2.0
// That the noise is normal: fixed seeds, and bounds that a right generator misses with the probability said beside them.
#include "tests/noise/statistics.h"

#include <gtest/gtest.h>

#include "ghostgrad/noise/gaussian.h"

namespace ghostgrad::noise {
namespace {

constexpr double kDeviation = 0x1p24 * 1.37;

at::Tensor draw(int64_t count, uint64_t step) {
  return gaussian({count}, kDeviation, random::Key::for_tests(11), {random::Purpose::noise, step, 0, 0}).to(at::kDouble).div_(kDeviation);
}

// |score| > 5: 6e-7 each; a bit more for the high moments, whose own distribution is skewed.
TEST(Noise, HasTheMomentsOfANormal) {
  const auto z = draw(1'000'000, 0);
  for (const int k : {1, 2, 3, 4, 6}) EXPECT_LT(std::abs(moment_score(z, k)), 5) << k;
}

TEST(Noise, HasTheDistributionFunctionOfANormal) {
  EXPECT_LT(ks_statistic(draw(300'000, 1)), 2.7);  // 9e-7
}

TEST(Noise, FillsBinsOfEqualProbabilityEqually) {
  EXPECT_LT(chi_square_score(equal_bins(draw(1'000'000, 2), 1000)), 5.5);  // 1e-7
}

// The low bits of n, on which attacks on the floating-point grid rely, are uniform: s is 2^24.
TEST(Noise, HasUniformLowBits) {
  const auto units = gaussian({1'000'000}, kDeviation, random::Key::for_tests(11), {random::Purpose::noise, 3, 0, 0});
  EXPECT_LT(chi_square_score(at::bincount(units.bitwise_and(255), {}, 256)), 6);  // 1e-7
}

TEST(Noise, OfASmallDeviationHasTheProbabilitiesOfTheRoundedNormal) {  // |score| > 5: 6e-7 each
  constexpr int64_t kCount = 400'000;
  for (const double deviation : {0.4, 1.0, 2.5}) {
    const auto units = gaussian({kCount}, deviation, random::Key::for_tests(11), {random::Purpose::noise, 4, 0, 0});
    for (int64_t n = -3; n <= 3; ++n) {
      const double p = 0.5 * (std::erf((n + 0.5) / deviation / std::sqrt(2)) - std::erf((n - 0.5) / deviation / std::sqrt(2)));
      const auto seen = units.eq(n).sum().item<double>();
      if (p * kCount < 50) continue;  // too rare for a normal approximation
      EXPECT_LT(std::abs(seen - p * kCount) / std::sqrt(p * (1 - p) * kCount), 5) << deviation << " " << n;
    }
  }
}

// One hundred million draws in pieces; about half a minute.
TEST(Noise, IsNormalInOneHundredMillionDrawsSlow) {
  constexpr int64_t kPiece = 4'000'000, kPieces = 25;
  auto counts = at::zeros({33'000}, at::kLong);
  double beyond4 = 0, beyond5 = 0, mean = 0, variance = 0, fourth = 0, pairs = 0;
  for (int64_t piece = 0; piece < kPieces; ++piece) {
    const auto z = draw(kPiece, static_cast<uint64_t>(100 + piece));
    counts += equal_bins(z, counts.numel());
    beyond4 += z.abs().gt(4).sum().item<double>();
    beyond5 += z.abs().gt(5).sum().item<double>();
    mean += moment_score(z, 1);
    variance += moment_score(z, 2);
    fourth += moment_score(z, 4);
    pairs += correlation_score(z.slice(0, 0, -1, 2), z.slice(0, 1, {}, 2));
    EXPECT_LT(ks_statistic(z), 3) << piece;  // 3e-8 each
  }
  EXPECT_LT(chi_square_score(counts), 5.5);
  for (const double score : {mean, variance, fourth, pairs}) EXPECT_LT(std::abs(score) / std::sqrt(kPieces), 5);
  EXPECT_NEAR(beyond4, 6334, 5 * 80);
  EXPECT_NEAR(beyond5, 57.3, 5 * 7.6);  // at most 1e-6: Poisson
}

}  // namespace
}  // namespace ghostgrad::noise
