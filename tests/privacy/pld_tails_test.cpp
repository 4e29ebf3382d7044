// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_tails.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "ghostgrad/privacy/pld_decay.h"

namespace ghostgrad::privacy {
namespace {

constexpr std::size_t size = 1 << 12;
constexpr double step = 1e-2;

/// A skew distribution round the middle of the window, one of few frequencies.
std::vector<double> tilted() {
  std::vector<double> values(size);
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double x = (static_cast<double>(i) - size / 2.0) / (size / 40.0);
    values[i] = std::exp(-x * x / 2) * (1 + 0.5 * std::tanh(x / 2));
    sum += values[i];
  }
  for (double& value : values) value /= sum;
  return values;
}

/// The lowest frequencies of it, where the window's first point is this one of the circle.
Spectrum spectrum_at(std::int64_t first, std::size_t frequencies) {
  auto circle = tilted();
  std::rotate(circle.rbegin(), circle.rbegin() + first, circle.rend());
  Fft fft;
  Spectrum spectrum;
  fft.forward(circle, spectrum);
  spectrum.resize(frequencies);
  return spectrum;
}

TEST(BandTails, AreThoseOfTheGrid) {
  for (const double tilt : {0.0, 0.3, 5.0}) {
    for (const std::int64_t first : {0, 1234}) {
      SCOPED_TRACE(testing::Message() << "tilt " << tilt << " first " << first);
      Fft fft;
      const TailScale scale{tilt * step, step, 10, Side::neither};
      const GridTails grid(tilted(), scale);
      const BandTails band(spectrum_at(first, 400), {size, first, scale}, fft);
      const double unit = 1e-12 * grid.at(size / 2).reach;
      for (std::size_t i = 0; i < size; i += 37) {
        EXPECT_NEAR(band.at(i).reach, grid.at(i).reach, unit + 1e-12 * grid.at(i).reach) << i;
        EXPECT_NEAR(band.at(i).delta, grid.at(i).delta, unit + 1e-12 * grid.at(i).delta) << i;
      }
      EXPECT_NEAR(static_cast<double>(band.reliable().first), static_cast<double>(grid.reliable().first), size / 40.0);
      EXPECT_NEAR(static_cast<double>(band.reliable().last), static_cast<double>(grid.reliable().last), size / 40.0);
    }
  }
}

TEST(BandTails, HaveRoundingErrorsOnTheSideThatIsAskedFor) {
  for (const double tilt : {0.0, 5.0}) {
    Fft fft;
    const auto tails = [&](Side side) { return BandTails(spectrum_at(0, 400), {size, 0, {tilt * step, step, 1e4, side}}, fft); };
    const auto lower = tails(Side::lower);
    const auto middle = tails(Side::neither);
    const auto upper = tails(Side::upper);
    for (const std::size_t i : {size / 4, size / 2, 2 * size / 3}) {
      EXPECT_LT(lower.at(i).delta, middle.at(i).delta);
      EXPECT_LT(middle.at(i).delta, upper.at(i).delta);
      EXPECT_LT(upper.at(i).delta - lower.at(i).delta, 1e-9 * middle.at(size / 2).delta);
    }
  }
}

// Losses in clusters far from one another, whose transform comes back to 1 at many frequencies.
TEST(SpectrumDecay, BoundsTheTransformOfTheRun) {
  constexpr double count = 300;
  for (const std::int64_t stride : {1, 2, 64}) {
    std::vector<std::int64_t> places;
    std::vector<double> masses;
    double sum = 0;
    for (std::int64_t i = -300; i <= 300; i += stride) {
      places.push_back(i);
      masses.push_back(std::exp(-static_cast<double>(i * i) / 8000) + (i == 256 ? 0.1 : 0));
      sum += masses.back();
    }
    for (double& mass : masses) mass /= sum;
    constexpr std::size_t circle = 1 << 16;
    Fft fft;
    SpectrumDecay decay(circle, places, masses);
    decay.add(places, masses, count, fft);
    const std::size_t from = decay.frequencies();
    EXPECT_EQ(from > circle / 2, stride > 1) << "the transform of every second point has a period of half the circle";
    std::vector<double> values(circle, 0);
    for (std::size_t i = 0; i < places.size(); ++i) values[static_cast<std::uint64_t>(places[i]) % circle] += masses[i];
    Spectrum whole;
    fft.forward(values, whole);
    for (std::size_t k = from; k < whole.size(); ++k) ASSERT_LT(count * std::log(std::abs(whole[k])), -57.5) << k;
    if (stride == 1) {
      EXPECT_LT(from, circle / 64);
    }
  }
}

}  // namespace
}  // namespace ghostgrad::privacy
