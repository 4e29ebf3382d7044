// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/ownership.h"

#include <ATen/ATen.h>

#include "ghostgrad/graph/moves.h"

namespace ghostgrad::graph {
namespace {

using Kind = Ownership::Kind;
constexpr int64_t examples = 3;

Ownership along(int dim, std::vector<int32_t> owners, const Shape& shape) {
  return Ownership::per_index(dim, share(std::move(owners)), shape, examples);
}

TEST(Ownership, ReadsAStridedLayoutAlongTheOneDimensionThatCarriesIt) {
  const auto rows = axis_of(Ownership::strided(8), {3, 2, 4}, examples);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->dim, 0);
  EXPECT_EQ(rows->inner, 1);
  const auto merged = axis_of(Ownership::strided(8), {6, 4}, examples);
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->dim, 0);
  EXPECT_EQ(merged->inner, 2);
  const auto last = axis_of(Ownership::strided(1), {5, 3}, examples);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->dim, 1);
}

TEST(Ownership, ReadsNoAxisWhereExamplesAreSplitOverTwoDimensions) {
  EXPECT_FALSE(axis_of(Ownership::strided(4), {3, 2, 2, 5}, examples));
  EXPECT_FALSE(axis_of(Ownership::strided(1), {2, 2, 6}, 4));
}

TEST(Ownership, HasOneFormForOneLayout) {
  EXPECT_EQ(along(0, {0, 0, 1, 1, 2, 2}, {6, 4}), Ownership::strided(8));
  EXPECT_EQ(along(1, {0, 1, 2, 0, 1, 2}, {2, 6}), Ownership::strided(1));
  EXPECT_EQ(along(0, {1, 1, 1}, {3, 2}), Ownership::single(1));
  EXPECT_EQ(along(0, {-1, -1, -1}, {3, 2}), Ownership::none());
  EXPECT_EQ(along(0, {0, 0, 1, 2, 2, 2}, {6}).kind, Kind::per_index);
  EXPECT_EQ(along(0, {0, 1, -1}, {3}).kind, Kind::per_index);
  EXPECT_EQ(along(0, {0, 2, 1}, {3}).kind, Kind::per_index);
}

TEST(Ownership, JoinsWhatDoesNotContradict) {
  const Shape shape{3, 2};
  const Ownership first = along(0, {0, -1, -1}, shape), others = along(0, {-1, 1, 2}, shape);
  EXPECT_EQ(join(first, others, shape, examples), Ownership::strided(2));
  EXPECT_EQ(join(Ownership::none(), first, shape, examples), first);
  EXPECT_EQ(join(first, Ownership::strided(2), shape, examples), Ownership::strided(2));
  EXPECT_EQ(join(along(0, {1, -1, 1}, shape), Ownership::single(1), shape, examples), Ownership::single(1));
}

TEST(Ownership, IsMixedWhereTwoGradientsContradict) {
  const Shape shape{3, 3};
  EXPECT_TRUE(join(Ownership::strided(3), Ownership::strided(1), shape, examples).is_mixed());
  EXPECT_TRUE(join(along(0, {0, 2, 1}, shape), Ownership::strided(3), shape, examples).is_mixed());
  EXPECT_TRUE(join(along(0, {0, -1, -1}, shape), along(1, {-1, 1, 2}, shape), shape, examples).is_mixed());
  EXPECT_TRUE(join(Ownership::single(0), Ownership::single(1), shape, examples).is_mixed());
  EXPECT_TRUE(join(Ownership::single(0), Ownership::strided(3), shape, examples).is_mixed());
  EXPECT_TRUE(join(Ownership::mixed(), Ownership::strided(3), shape, examples).is_mixed());
  EXPECT_TRUE(join(Ownership::strided(3), Ownership::mixed(), shape, examples).is_mixed());
}

TEST(Ownership, GivesEachElementItsOwner) {
  const Shape shape{2, 3, 2};
  const auto expect = [&](const Ownership& ownership, std::vector<int64_t> owners) {
    const at::Tensor given = owner_tensor(ownership, shape, examples).expand({2, 3, 2}).reshape(-1);
    EXPECT_TRUE(at::equal(given, at::tensor(owners, at::kLong))) << to_string(ownership, shape, examples);
  };
  expect(Ownership::strided(2), {0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2});
  expect(Ownership::strided(4), {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2});
  expect(Ownership::single(2), std::vector<int64_t>(12, 2));
  expect(along(1, {2, -1, 0}, shape), {2, 2, -1, -1, 0, 0, 2, 2, -1, -1, 0, 0});
}

TEST(Ownership, OfOneExampleIsAlwaysThatExample) { EXPECT_EQ(Ownership::per_index(0, share({0, -1, 0}), {3}, 1), Ownership::single(0)); }

TEST(Moves, ReshapeKeepsFlatElements) {
  EXPECT_EQ(reshaped(Ownership::strided(8), {3, 2, 4}, {6, 4}, examples), Ownership::strided(8));
  const Ownership ragged = along(0, {0, 0, 0, 1, 2, 2}, {6, 4});
  EXPECT_EQ(reshaped(ragged, {6, 4}, {6, 2, 2}, examples), along(0, {0, 0, 0, 1, 2, 2}, {6, 2, 2}));
  EXPECT_EQ(reshaped(ragged, {6, 4}, {12, 2}, examples), along(0, {0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2}, {12, 2}));
  EXPECT_TRUE(reshaped(ragged, {6, 4}, {3, 8}, examples).is_mixed());  // row 1 would hold examples 0 and 1
  EXPECT_TRUE(reshaped(ragged, {6, 4}, {8, 3}, examples).is_mixed());
}

TEST(Moves, ReductionOfABroadcastOperandKeepsOnlyTheAxisThatStays) {
  EXPECT_EQ(reduced_to(Ownership::strided(4), {3, 4}, {3, 1}, examples), Ownership::strided(1));
  EXPECT_TRUE(reduced_to(Ownership::strided(4), {3, 4}, {1, 4}, examples).is_mixed());
  EXPECT_TRUE(reduced_to(Ownership::strided(3), {3, 3}, {3}, examples).is_mixed());
  EXPECT_EQ(reduced_to(Ownership::strided(1), {3, 3}, {3}, examples), Ownership::strided(1));
  EXPECT_EQ(reduced_to(Ownership::single(1), {3, 4}, {}, examples), Ownership::single(1));
}

TEST(Moves, ElementsSayTheSameAsTheirLayout) {
  const Shape shape{4, 3};
  const std::vector<Ownership> layouts{Ownership::strided(1), Ownership::strided(2), Ownership::single(2), along(0, {2, -1, 0, 1}, shape)};
  for (const Ownership& layout : layouts) {
    EXPECT_EQ(from_elements(to_elements(layout, shape, examples), shape, examples), layout) << to_string(layout, shape, examples);
  }
  EXPECT_TRUE(from_elements({0, 1, 2, 1, 2, 0, 2, 0, 1, 0, 1, 2}, shape, examples).is_mixed());
}

TEST(Moves, BinsRefuseTwoExamples) {
  const std::vector<int64_t> bins{1, 1, 0, -1};
  EXPECT_EQ(*into_bins({2, 2, 0, 1}, bins.data(), 3), (std::vector<int32_t>{0, 2, -1}));
  EXPECT_EQ(into_bins({2, 1, 0, 1}, bins.data(), 3), nullptr);
}

}  // namespace
}  // namespace ghostgrad::graph
