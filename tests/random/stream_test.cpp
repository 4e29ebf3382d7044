// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/random/stream.h"

#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <boost/math/distributions/chi_squared.hpp>
#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::random {
namespace {

using Bytes = std::vector<std::byte>;

Bytes take(Stream& stream, std::size_t count) {
  Bytes bytes(count);
  stream.fill(bytes);
  return bytes;
}

Stream stream_of(std::uint64_t seed, StreamId id = {Purpose::noise}) { return Stream(Key::for_tests(seed), id); }

/// P(a chi-square variable of that many degrees of freedom is at least `statistic`).
double chi_square_tail(double statistic, double freedom) {
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(freedom), statistic));
}

double chi_square_uniform(const std::vector<int>& counts, double expected) {
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

int differing_bits(const Bytes& a, const Bytes& b) {
  int count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += std::popcount(std::to_integer<unsigned>(a[i] ^ b[i]));
  return count;
}

TEST(Stream, GivesTheSameBytesForTheSameTestSeedAndId) {
  auto one = stream_of(7);
  auto two = stream_of(7);
  EXPECT_EQ(take(one, 5000), take(two, 5000));
}

TEST(Stream, GivesTheSameBytesHoweverTheyAreAskedFor) {
  auto straight = stream_of(1);
  const auto expected = take(straight, 40000);
  auto pieces = stream_of(1);
  Bytes got;
  for (std::size_t size = 0; got.size() + size + 8 <= expected.size(); size = (size * 5 + 3) % 3001) {
    const auto part = take(pieces, size);
    got.insert(got.end(), part.begin(), part.end());
    const auto word = pieces.next_u64();
    for (int i = 0; i < 8; ++i) got.push_back(static_cast<std::byte>(word >> (8 * i)));
  }
  ASSERT_GT(got.size(), 30000u);
  EXPECT_TRUE(std::equal(got.begin(), got.end(), expected.begin()));
}

TEST(Stream, SeekGoesToTheBytesThatAStraightReadWouldReach) {
  auto straight = stream_of(2);
  const auto expected = take(straight, 1 << 16);
  auto seeking = stream_of(2);
  for (const std::uint64_t block : {4000u, 0u, 17u, 64u, 1u}) {
    (void)seeking.next_u64();
    seeking.seek(block);
    const auto got = take(seeking, 100);
    EXPECT_TRUE(std::equal(got.begin(), got.end(), expected.begin() + static_cast<std::ptrdiff_t>(16 * block))) << block;
  }
}

TEST(Stream, CarriesTheCounterBeyond64Bits) {
  auto last = stream_of(3);
  last.seek(std::numeric_limits<std::uint64_t>::max());
  const auto crossing = take(last, 64);
  auto first = stream_of(3);
  const auto start = take(first, 48);
  EXPECT_FALSE(std::equal(start.begin(), start.end(), crossing.begin() + 16)) << "the counter wrapped round to 0";
}

// Every field of the id, one bit at a time: half of the bits differ. 8192 bits per pair; 9 standard deviations, so the false-alarm
// probability over the 147 x 146 / 2 pairs is below 1e-14.
TEST(Stream, IsIndependentForEveryPurposeStepTensorAndRank) {
  std::vector<StreamId> ids = {{Purpose::noise, 0, 0, 0}};
  for (int bit = 0; bit < 64; ++bit) ids.push_back({Purpose::noise, std::uint64_t{1} << bit, 0, 0});
  for (int bit = 0; bit < 32; ++bit) ids.push_back({Purpose::noise, 0, std::uint32_t{1} << bit, 0});
  for (int bit = 0; bit < 32; ++bit) ids.push_back({Purpose::noise, 0, 0, std::uint32_t{1} << bit});
  for (int purpose = 2; purpose <= 5; ++purpose) ids.push_back({static_cast<Purpose>(purpose), 0, 0, 0});
  std::vector<Bytes> all;
  for (const auto& id : ids) {
    auto stream = stream_of(4, id);
    all.push_back(take(stream, 1024));
  }
  const double deviation = std::sqrt(8192.0) / 2;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) ASSERT_NEAR(differing_bits(all[i], all[j]), 4096, 9 * deviation) << i << " " << j;
  }
}

TEST(Stream, DiffersBetweenKeys) {
  auto one = stream_of(5);
  auto two = stream_of(6);
  EXPECT_NE(take(one, 64), take(two, 64));
  Stream os_one(Key::from_os(), {Purpose::noise});
  Stream os_two(Key::from_os(), {Purpose::noise});
  EXPECT_NE(take(os_one, 64), take(os_two, 64));
}

// 2^20 bytes in 256 bins and 16-bit words in 65536 bins; fixed seed, false-alarm probability 2e-6.
TEST(Stream, FillsBytesAndWordsUniformly) {
  auto stream = stream_of(8);
  const auto bytes = take(stream, 1 << 20);
  std::vector<int> single(256);
  std::vector<int> pairs(65536);
  for (std::size_t i = 0; i < bytes.size(); ++i) ++single[std::to_integer<std::size_t>(bytes[i])];
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    ++pairs[std::to_integer<std::size_t>(bytes[i]) * 256 + std::to_integer<std::size_t>(bytes[i + 1])];
  }
  EXPECT_GT(chi_square_tail(chi_square_uniform(single, 4096), 255), 1e-6);
  EXPECT_GT(chi_square_tail(chi_square_uniform(pairs, 8), 65535), 1e-6);
}

TEST(Stream, IsTaintedExactlyWhenItsKeyIs) {
  EXPECT_FALSE(stream_of(0).is_private());
  EXPECT_TRUE(Stream(Key::from_os(), {Purpose::noise}).is_private());
  auto moved = stream_of(0);
  EXPECT_FALSE(Stream(std::move(moved)).is_private());
}

TEST(Stream, RefusesToDrawAfterItWasMovedFrom) {
  auto first = stream_of(9);
  (void)first.next_u64();
  auto second = std::move(first);
  EXPECT_THROW((void)first.next_u64(), base::PrivacyError);  // NOLINT(bugprone-use-after-move): that is what is tested
  auto straight = stream_of(9);
  (void)straight.next_u64();
  EXPECT_EQ(second.next_u64(), straight.next_u64());
}

// For each n, 200 000 draws; fixed seed, false-alarm probability 5e-6 over the five n.
TEST(UniformBelow, GivesEveryValueEquallyOften) {
  auto stream = stream_of(10);
  for (const int n : {2, 3, 7, 100, 1000}) {
    std::vector<int> counts(static_cast<std::size_t>(n));
    for (int i = 0; i < 200000; ++i) ++counts.at(stream.uniform_below(static_cast<std::uint64_t>(n)));
    EXPECT_GT(chi_square_tail(chi_square_uniform(counts, 200000.0 / n), n - 1), 1e-6) << n;
  }
}

// A modulus of 3 * 2^62 reduced without rejection would give the lower third twice as often: 1/2 instead of 1/3 of the draws.
TEST(UniformBelow, HasNoModuloBiasForLargeRanges) {
  auto stream = stream_of(11);
  const std::uint64_t third = std::uint64_t{1} << 62;
  std::vector<int> counts(3);
  for (int i = 0; i < 30000; ++i) ++counts.at(stream.uniform_below(3 * third) / third);
  EXPECT_GT(chi_square_tail(chi_square_uniform(counts, 10000), 2), 1e-6);  // false-alarm probability 1e-6
}

TEST(UniformBelow, HandlesTheEndsOfItsRange) {
  auto stream = stream_of(12);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(stream.uniform_below(1), 0u);
  std::set<bool> high;
  for (int i = 0; i < 100; ++i) high.insert(stream.uniform_below(std::numeric_limits<std::uint64_t>::max()) >> 63 != 0);
  EXPECT_EQ(high.size(), 2u);
  EXPECT_THROW((void)stream.uniform_below(0), base::InvalidArgument);
}

}  // namespace
}  // namespace ghostgrad::random
