// SPDX-License-Identifier: Apache-2.0
// The attack that the lattice is for [Mir12]: floating-point noise has fine steps near zero and coarse ones far away, so that
// sum + noise lands on a fine point only if the noise was small, and that depends on the sum.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ghostgrad/noise/gaussian.h"
#include "ghostgrad/noise/lattice.h"

namespace ghostgrad::noise {
namespace {

constexpr int64_t kCount = 200'000;

// How often is the released value no multiple of 2^-24?
double off_grid(const at::Tensor& released) {
  const auto scaled = released.to(at::kDouble) * 0x1p24;
  return scaled.ne(scaled.round()).to(at::kDouble).mean().item<double>();
}

at::Tensor float_release(double sum) {
  const auto generator = at::detail::createCPUGenerator(1);
  return sum + at::normal(0.0, 1.0, {kCount}, generator, at::kFloat);
}

at::Tensor lattice_release(double sum, uint64_t step) {
  const auto lattice = make_lattice(1.0, 1.0, kCount);
  const auto units = gaussian({kCount}, 1.0 / lattice.resolution, random::Key::for_tests(1), {random::Purpose::noise, step, 0, 0});
  return from_lattice(to_lattice(at::full({kCount}, sum), lattice) + units, lattice);
}

TEST(GridAttack, TellsSumsApartUnderFloatNoise) {
  EXPECT_NEAR(off_grid(float_release(0.0)), 0.257, 0.02);
  EXPECT_EQ(off_grid(float_release(1.0)), 0.0);
}

TEST(GridAttack, SeesNothingOnTheLattice) {
  for (const double sum : {0.0, 1.0, 0.3}) EXPECT_EQ(off_grid(lattice_release(sum, 1)), 0.0) << sum;
}

// The event inside the grid: how often a unit is odd must not depend on the sum. 5 deviations of the difference: 6e-7.
TEST(GridAttack, SeesNothingInTheLowBitOfTheLattice) {
  const auto odd = [](double sum, uint64_t step) { return lattice_release(sum, step).mul_(0x1p24).remainder_(2).mean().item<double>(); };
  EXPECT_LT(std::abs(odd(0.0, 2) - odd(1.0, 3)), 5 * std::sqrt(0.5 / kCount));
  EXPECT_LT(std::abs(odd(0.0, 4) - odd(0x1p-24, 5)), 5 * std::sqrt(0.5 / kCount));
}

}  // namespace
}  // namespace ghostgrad::noise
