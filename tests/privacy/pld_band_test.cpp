// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_band.h"

#include <complex>
#include <numbers>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "ghostgrad/random/stream.h"

namespace ghostgrad::privacy {
namespace {

constexpr std::size_t circle = 1 << 15;

/// Atoms all over the circle and round it, of sum 1.
struct Atoms {
  std::vector<std::int64_t> places;
  std::vector<double> masses;
};

Atoms random_atoms(int count) {
  random::Stream stream(random::Key::for_tests(7), {random::Purpose::audit});
  Atoms atoms;
  for (int i = 0; i < count; ++i) {
    atoms.places.push_back(static_cast<std::int64_t>(stream.next_u64() % (4 * circle)) - static_cast<std::int64_t>(2 * circle));
    atoms.masses.push_back(static_cast<double>(stream.next_u64() >> 24));
  }
  const double sum = std::accumulate(atoms.masses.begin(), atoms.masses.end(), 0.0);  // exact: integers
  for (double& mass : atoms.masses) mass /= sum;
  return atoms;
}

TEST(LowBand, AgreesWithTheTransformOfTheWholeCircle) {
  const auto [places, masses] = random_atoms(3000);
  std::vector<double> values(circle, 0);
  for (std::size_t i = 0; i < places.size(); ++i) values[static_cast<std::uint64_t>(places[i]) % circle] += masses[i];
  Fft fft;
  Spectrum whole;
  fft.forward(values, whole);
  for (const std::size_t frequencies : {16, 512, 4096}) {
    Spectrum low;
    LowBand(circle, frequencies).transform(places, masses, fft, low);
    ASSERT_EQ(low.size(), frequencies);
    for (std::size_t k = 0; k < low.size(); ++k) EXPECT_LT(std::abs(low[k] - whole[k]), 5e-16) << k;
  }
}

TEST(LowBand, TransformsAnAtomWhereverItLies) {
  Fft fft;
  LowBand band(circle, circle / 64);
  for (const std::int64_t place : {0, 1, -1, 31, 32, 12345, -12345, 32767}) {
    Spectrum low;
    band.transform(std::vector{place}, std::vector{1.0}, fft, low);
    for (std::size_t k = 0; k < low.size(); ++k) {
      const auto points = place * static_cast<std::int64_t>(k) % static_cast<std::int64_t>(circle);
      const double turns = static_cast<double>(points) / static_cast<double>(circle);
      EXPECT_LT(std::abs(low[k] - std::polar(1.0, -2 * std::numbers::pi * turns)), 1.5e-15) << place << " at " << k;
    }
  }
}

}  // namespace
}  // namespace ghostgrad::privacy
