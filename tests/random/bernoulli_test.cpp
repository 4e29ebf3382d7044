// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/random/bernoulli.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/random/stream.h"

namespace ghostgrad::random {
namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

/// The decision for given digits of U; fails the test when more words are asked for.
bool decide(double q, const std::vector<std::uint64_t>& words) {
  std::size_t used = 0;
  const bool below = uniform_is_below(q, [&] { return words.at(used++); });
  EXPECT_EQ(used, words.size()) << "more digits were given than needed";
  return below;
}

TEST(UniformIsBelow, ComparesTheFirst64Digits) {
  const std::uint64_t half = std::uint64_t{1} << 63;
  EXPECT_TRUE(decide(0.5, {half - 1}));
  EXPECT_FALSE(decide(0.5, {half})) << "U = q is not below q";
  EXPECT_FALSE(decide(0.5, {half + 1}));
  EXPECT_TRUE(decide(0.75, {half + 1}));
  EXPECT_TRUE(decide(std::nextafter(1.0, 0.0), {largest - 2048}));
  EXPECT_FALSE(decide(std::nextafter(1.0, 0.0), {largest - 2047}));
}

TEST(UniformIsBelow, GoesOnToTheNextDigitsOnATie) {
  const double q = 0x1p-70;  // digits: a word of zeros, then 2^58
  const std::uint64_t digit = std::uint64_t{1} << 58;
  EXPECT_FALSE(decide(q, {1}));
  EXPECT_TRUE(decide(q, {0, digit - 1}));
  EXPECT_FALSE(decide(q, {0, digit}));
  EXPECT_TRUE(decide(0x1p-60 + 0x1p-100, {16, (std::uint64_t{1} << 28) - 1}));
  EXPECT_FALSE(decide(0x1p-60 + 0x1p-100, {16, std::uint64_t{1} << 28}));
  // The smallest double is 2^-1074: 16 words of zeros, then 2^14.
  std::vector<std::uint64_t> words(17, 0);
  words.back() = (std::uint64_t{1} << 14) - 1;
  EXPECT_TRUE(decide(std::numeric_limits<double>::denorm_min(), words));
  words.back() += 1;
  EXPECT_FALSE(decide(std::numeric_limits<double>::denorm_min(), words));
}

TEST(UniformIsBelow, NeedsNoDigitsAtZeroAndOne) {
  EXPECT_FALSE(decide(0, {}));
  EXPECT_TRUE(decide(1, {}));
}

// 10^6 draws per q, 6 standard deviations: false-alarm probability below 1e-8 in all.
TEST(Bernoulli, IsTrueWithProbabilityQ) {
  Stream stream(Key::for_tests(13), {Purpose::sampling});
  for (const double q : {0.5, 0.01, 0.004266666666666667, 0.999, 1.0 / 3}) {
    int hits = 0;
    for (int i = 0; i < 1000000; ++i) hits += stream.bernoulli(q);
    EXPECT_NEAR(hits, 1e6 * q, 6 * std::sqrt(1e6 * q * (1 - q))) << q;
  }
}

TEST(Bernoulli, RefusesWhatIsNoProbability) {
  Stream stream(Key::for_tests(16), {Purpose::sampling});
  for (const double q : {-0.1, 1.1, std::nan(""), static_cast<double>(INFINITY)})
    EXPECT_THROW((void)stream.bernoulli(q), base::InvalidArgument);
}

}  // namespace
}  // namespace ghostgrad::random
