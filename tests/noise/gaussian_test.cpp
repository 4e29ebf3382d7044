// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/noise/gaussian.h"

#include "tests/noise/statistics.h"
#include <limits>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/noise/box_muller.h"

namespace ghostgrad::noise {
namespace {

using random::Key;
using random::Purpose;
using random::StreamId;

constexpr double kDeviation = 0x1p24 * 1.37;

at::Tensor draw(int64_t count, StreamId id = {Purpose::noise, 0, 0, 0}, uint64_t seed = 1) {
  return gaussian({count}, kDeviation, Key::for_tests(seed), id);
}

at::Tensor standard(const at::Tensor& units) { return units.to(at::kDouble) / kDeviation; }

TEST(Gaussian, IsTheKernelOnTheBlocksOfTheStream) {
  constexpr double kLarge = 0x1p34;  // so that one pair in sixty asks for further bits
  const auto key = Key::for_tests(7);
  const StreamId id{Purpose::noise, 3, 4, 5};
  std::vector<uint64_t> words(2 * 9000);  // more than two parts
  random::Stream stream(key, id);
  for (auto& word : words) word = stream.next_u64();
  std::vector<int64_t> expected(words.size() - 1);
  box_muller(expected, kLarge, words, [&](uint64_t pair) {
    FurtherBits further;
    stream.seek((uint64_t{1} << 63) + 2 * pair);
    for (auto& word : further) word = stream.next_u64();
    return further;
  });
  const auto drawn = gaussian({static_cast<int64_t>(expected.size())}, kLarge, key, id);
  EXPECT_TRUE(drawn.equal(at::tensor(expected, at::kLong)));
}

TEST(Gaussian, IsTheSameForEveryNumberOfThreads) {
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = draw(100'003);
  for (const int threads : {2, 3, 5}) {
    at::set_num_threads(threads);
    EXPECT_TRUE(draw(100'003).equal(one)) << threads;
  }
  at::set_num_threads(before);
}

TEST(Gaussian, BeginsTheSameForEveryLength) {
  const auto all = draw(20'000);
  for (const int64_t count : {1, 2, 3, 8191, 8192, 8193, 16385}) EXPECT_TRUE(draw(count).equal(all.slice(0, 0, count))) << count;
}

TEST(Gaussian, HasTheShapeAskedForAndMayBeEmpty) {
  const auto key = Key::for_tests(1);
  EXPECT_EQ(gaussian({2, 3, 4}, 1.0, key, {}).sizes(), at::IntArrayRef({2, 3, 4}));
  EXPECT_EQ(gaussian({}, 1.0, key, {}).dim(), 0);
  EXPECT_EQ(gaussian({5, 0}, 1.0, key, {}).numel(), 0);
  EXPECT_EQ(gaussian({2}, 1.0, key, {}).scalar_type(), at::kLong);
}

TEST(Gaussian, RefusesADeviationThatIsNotPositiveFiniteAndModerate) {
  const auto key = Key::for_tests(1);
  for (const double deviation : {0.0, -1.0, 0x1p41, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW((void)gaussian({2}, deviation, key, {}), base::InvalidArgument) << deviation;
  }
  EXPECT_NO_THROW((void)gaussian({2}, 0x1p40, key, {}));
}

TEST(Gaussian, OfAPracticallyZeroDeviationIsZero) {
  EXPECT_EQ(gaussian({1000}, 0.01, Key::for_tests(1), {}).abs().max().item<int64_t>(), 0);
}

// 5 deviations: each of the ten scores goes astray with probability 6e-7.
TEST(Gaussian, DiffersAndIsUncorrelatedAcrossStepsTensorsRanksPurposesAndKeys) {
  constexpr int64_t kCount = 100'000;
  const auto reference = draw(kCount);
  const StreamId others[] = {{Purpose::noise, 1, 0, 0}, {Purpose::noise, 0, 1, 0}, {Purpose::noise, 0, 0, 1}, {Purpose::audit, 0, 0, 0}};
  std::vector<at::Tensor> drawn{reference, draw(kCount, {Purpose::noise, 0, 0, 0}, 2)};
  for (const auto& id : others) drawn.push_back(draw(kCount, id));
  for (size_t i = 0; i < drawn.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      EXPECT_LT(drawn[i].eq(drawn[j]).sum().item<int64_t>(), 3) << i << " " << j;
      EXPECT_LT(std::abs(correlation_score(standard(drawn[i]), standard(drawn[j]))), 5) << i << " " << j;
    }
  }
}

TEST(Gaussian, IsUncorrelatedWithItsNeighboursAndTheirSquares) {
  const auto z = standard(draw(1'000'000));
  for (const int64_t lag : {1, 2, 3, 8192}) {
    const auto early = z.slice(0, 0, -lag), late = z.slice(0, lag);
    EXPECT_LT(std::abs(correlation_score(early, late)), 5) << lag;
    EXPECT_LT(std::abs(correlation_score(early.square() - 1, late.square() - 1)) / 2, 5) << lag;  // E (z^2 - 1)^2 = 2
  }
}

}  // namespace
}  // namespace ghostgrad::noise
