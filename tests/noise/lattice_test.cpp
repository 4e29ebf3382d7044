// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/noise/lattice.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::noise {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Lattice, HasTheResolutionOfItsEquation) {
  EXPECT_EQ(make_lattice(1.0, 1.0, 1000).resolution, 0x1p-24);
  EXPECT_EQ(make_lattice(1.999, 1.0, 1000).resolution, 0x1p-24);
  EXPECT_EQ(make_lattice(0.5, 4.0, 1000).resolution, 0x1p-23);
  EXPECT_EQ(make_lattice(0.999, 1.0, 1000).resolution, 0x1p-25);
  EXPECT_EQ(make_lattice(1.0, 1.0, 999'999).resolution, 0x1p-24);
  EXPECT_EQ(make_lattice(1.0, 1.0, 1'000'000).resolution, 0x1p-27);
}

TEST(Lattice, RefusesScalesWithoutAFiniteResolution) {
  for (const double threshold : {0.0, -1.0, kNan, kInfinity, 1e-280, 1e280}) {
    EXPECT_THROW((void)make_lattice(1.0, threshold, 10), base::InvalidArgument) << threshold;
    EXPECT_THROW((void)make_lattice(threshold, 1.0, 10), base::InvalidArgument) << threshold;
  }
  for (const double threshold : {1e-200, 1e200}) {
    const auto lattice = make_lattice(1.0, threshold, 10);
    EXPECT_TRUE(from_lattice(at::ones({1}, at::kLong), lattice).isfinite().all().item<bool>());
    EXPECT_EQ(to_lattice(at::full({1}, threshold, at::kDouble), lattice).item<int64_t>(), std::llrint(threshold / lattice.resolution));
  }
}

TEST(Lattice, RoundsToTheNearestUnitAndTiesToEven) {
  const Lattice lattice{0x1p-3};
  const auto values = at::tensor({0.0, 0.06, 0.0625, 0.07, 0.1875, -0.0625, -0.07, -0.1875, 3.0}, at::kDouble);
  const auto expected = at::tensor({0, 0, 0, 1, 2, 0, -1, -2, 24}, at::kLong);
  EXPECT_TRUE(to_lattice(values, lattice).equal(expected));
  EXPECT_TRUE(to_lattice(values.to(at::kFloat), lattice).equal(expected));
}

TEST(Lattice, AddsRoundedValuesToTotals) {
  for (const int64_t count : {1, 1000, 100'003}) {
    const auto values = at::randn({count}, at::detail::createCPUGenerator(1), at::kDouble);
    const auto totals = at::arange(count, at::kLong);
    add_to_lattice(totals, values, {0x1p-20});
    EXPECT_TRUE(totals.equal(at::arange(count, at::kLong) + (values * 0x1p20).round().to(at::kLong))) << count;
  }
}

TEST(Lattice, LeavesTheValuesItRoundsUnchanged) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    const auto values = at::tensor({0.3, -1.7}, type);
    const auto before = values.clone();
    (void)to_lattice(values, {0x1p-3});
    EXPECT_TRUE(values.equal(before));
  }
}

TEST(Lattice, GivesBackItsOwnPointsExactly) {
  const auto lattice = make_lattice(1.3, 0.7, 1000);
  const auto units = at::tensor({0L, 1L, -1L, 123456789L, (1L << 51) - 1, 1 - (1L << 51)}, at::kLong);
  EXPECT_TRUE(to_lattice(from_lattice(units, lattice), lattice).equal(units));
}

TEST(Lattice, RefusesWhatIsNotFiniteOrTooLarge) {
  const auto lattice = make_lattice(1.0, 1.0, 10);
  for (const double value : {kNan, kInfinity, -kInfinity, 0x1p27, 0x1p28, -0x1p28, 1e200, -1e200}) {
    EXPECT_THROW((void)to_lattice(at::tensor({0.0, value}, at::kDouble), lattice), base::PrivacyError) << value;
  }
  EXPECT_EQ(to_lattice(at::tensor({0x1p27 - 0x1p-24}, at::kDouble), lattice).item<int64_t>(), (1L << 51) - 1);
  EXPECT_EQ(to_lattice(at::empty({0}), lattice).numel(), 0);
}

}  // namespace
}  // namespace ghostgrad::noise
