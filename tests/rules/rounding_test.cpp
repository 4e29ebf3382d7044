// SPDX-License-Identifier: Apache-2.0
// Norms in float32: exact where they can be, formed again where positions cancel, never too short by more than the noise covers.
#include "ghostgrad/rules/rounding.h"

#include <cmath>

#include <gtest/gtest.h>

#include "ghostgrad/rules/linear_term.h"
#include "ghostgrad/rules/rows_term.h"

namespace ghostgrad::rules {
namespace {

using at::Tensor;

/// Factors of B examples of T positions, in float32, and what they are in float64.
struct Factors {
  Tensor left, right;

  [[nodiscard]] LinearTerm term(at::ScalarType dtype) const {
    return {left.unsqueeze(1).to(dtype), right.unsqueeze(1).to(dtype), Shape{left.size(2), right.size(2)}};
  }
  /// By how much of itself each norm of float32 is too long: [B]
  [[nodiscard]] Tensor excess() const {
    const Tensor exact = term(at::kDouble).per_example().flatten(1).norm(2, 1);
    return term(at::kFloat).squared_norms().to(at::kDouble).sqrt() / exact - 1;
  }
};

Factors independent(int64_t positions) { return {at::randn({5, positions, 7}), at::randn({5, positions, 9})}; }

/// Half of the positions undo the others, but for a part `left` of them.
Factors cancelling(int64_t positions, double left) {
  Factors half = independent(positions / 2);
  return {at::cat({half.left, half.left}, 1), at::cat({half.right, half.right * (left - 1)}, 1)};
}

TEST(Rounding, LeavesTheNormsOfManyPositionsExact) {
  at::manual_seed(1);
  for (int64_t positions : {2, 64, 1024, 3000}) {
    EXPECT_LT(independent(positions).excess().abs().max().item<double>(), 2e-6) << positions;
  }
}

TEST(Rounding, NeverLeavesANormTooShortByMoreThanTheAllowance) {
  at::manual_seed(2);
  for (int64_t positions : {2, 30, 400}) {
    for (double left : {0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-5}) {
      EXPECT_GT(cancelling(positions, left).excess().min().item<double>(), -kAllowance) << positions << ' ' << left;
    }
  }
}

TEST(Rounding, CountsTheNormsOfModeratelyCancellingPositionsRight) {
  at::manual_seed(3);
  for (double left : {0.1, 1e-2, 1e-3}) {
    EXPECT_LT(cancelling(30, left).excess().abs().max().item<double>(), 1e-5 / left) << left;  // the sum's own rounding, and no more
  }
}

TEST(Rounding, OfVectorsOfMillionsOfFloatsIsThatOfAFew) {
  for (int64_t size : {int64_t{1} << 14, (int64_t{1} << 15) + 1, int64_t{1'000'000}, int64_t{10'000'000}}) {
    const Tensor alike = at::full({2, size}, 0.1F);  // whose squares round alike, wherever they are added to
    const Tensor exact = alike.select(1, 0).to(at::kDouble) * std::sqrt(static_cast<double>(size));
    EXPECT_LT((lengths_of(alike) / exact - 1).abs().max().item<double>(), 1.0 / 8 * kAllowance) << size;
    EXPECT_LT((squares_per_example(alike.view({2, -1, 1})) / exact.square() - 1).abs().max().item<double>(), 1.0 / 4 * kAllowance) << size;
    EXPECT_EQ(lengths_of(alike.to(at::kDouble)).scalar_type(), at::kDouble);
  }
}

TEST(Rounding, OfGramsOfVeryWideFactorsIsThatOfAFew) {
  for (int64_t positions : {1, 2}) {
    const Factors wide{at::full({1, positions, 3'000'000}, 0.1F), at::full({1, positions, 1}, 0.1F)};
    const double exact = static_cast<double>(0.1F) * 0.1F * std::sqrt(3e6) * static_cast<double>(positions);
    EXPECT_LT(std::abs(std::sqrt(wide.term(at::kFloat).squared_norms().item<double>()) / exact - 1), kAllowance) << positions;
  }
}

TEST(Rounding, OfANegativeGramIsFoundOut) {
  at::manual_seed(4);
  for (int trial = 0; trial < 20; ++trial) {
    const Tensor squares = cancelling(64, 0).term(at::kFloat).squared_norms();
    EXPECT_TRUE(squares.ge(0).all().item<bool>()) << squares;
  }
}

TEST(Rounding, OfOneExampleLeavesAllOthersAsTheyAre) {
  at::manual_seed(5);
  Factors mixed = independent(20);
  const Tensor before = mixed.term(at::kFloat).squared_norms();
  const Factors cancelled = cancelling(20, 1e-4);
  mixed.left[2].copy_(cancelled.left[2]);
  mixed.right[2].copy_(cancelled.right[2]);
  mixed.left[4].fill_(NAN);
  const Tensor after = mixed.term(at::kFloat).squared_norms();
  for (int64_t i : {0, 1, 3}) EXPECT_EQ(after[i].item<double>(), before[i].item<double>());
  EXPECT_TRUE(std::isnan(after[4].item<double>()));
  EXPECT_TRUE(std::isfinite(after[2].item<double>()));
}

TEST(Rounding, OfGroupedMapsCountsEachMapByItself) {
  at::manual_seed(6);
  const Tensor left = at::randn({3, 4, 50, 5}), right = at::randn({3, 4, 50, 6});
  const LinearTerm single(left, right, Shape{4, 5, 6});
  const Tensor exact = squares_per_example(LinearTerm(left.to(at::kDouble), right.to(at::kDouble), Shape{4, 5, 6}).per_example());
  EXPECT_LT((single.squared_norms().to(at::kDouble) / exact - 1).abs().max().item<double>(), 2e-6);
}

/// Factors of which the left have this length, and the right 1e18, near where their squares overflow.
Factors tiny(double size, int64_t positions) {
  const auto of_length = [&](int64_t width, double length) {
    const Tensor random = at::randn({5, positions, width}, at::kDouble);
    return (random / random.norm(2, 2, true) * length).to(at::kFloat);
  };
  return {of_length(7, size), of_length(9, 1e18)};
}

TEST(Rounding, SeesFactorsWhoseSquaresUnderflow) {
  at::manual_seed(8);
  for (int64_t positions : {1, 2, 50}) {
    for (double size : {1e-16, 1e-19, 1e-21, 1e-23}) {
      const Factors small = tiny(size, positions);
      EXPECT_LT(small.excess().abs().max().item<double>(), 1e-4) << positions << ' ' << size;
      const Factors ordinary = independent(positions);  // of a hundredth of their length
      const Factors both{at::cat({ordinary.left * (1e-2 * size * 1e18), small.left}, 1), at::cat({ordinary.right, small.right}, 1)};
      EXPECT_LT(both.excess().abs().max().item<double>(), 1e-4) << positions << ' ' << size;
    }
  }
}

TEST(Rounding, LeavesExactZerosZero) {
  for (int64_t positions : {1, 3}) {
    const LinearTerm term(at::zeros({2, 1, positions, 4}), at::zeros({2, 1, positions, 5}), Shape{4, 5});
    EXPECT_TRUE(term.squared_norms().eq(0).all().item<bool>());
  }
}

TEST(Rounding, RaisesNormsOfRowsThatCancel) {
  at::manual_seed(7);
  const Tensor up = at::randn({3, 1, 8}), index = at::zeros({3, 2}, at::kLong);
  const RowsTerm term(index, at::cat({up, up * (1e-6 - 1)}, 1), Shape{4, 8});
  const Tensor exact = (up[0][0] + up[0][0] * (1e-6 - 1)).norm();
  EXPECT_GT(term.squared_norms()[0].sqrt().item<double>(), exact.item<double>() + term.rounding()[0].item<double>() / 2);
}

TEST(Raised, CoversExactlyWhatTheAllowanceDoesNot) {
  const Tensor squares = at::full({4}, 4.0, at::kDouble), rounding = at::tensor({0.0, 2 * kAllowance, 0.5, 2.0}, at::kDouble);
  const Tensor norms = raised(squares, rounding).sqrt();
  EXPECT_EQ(norms[0].item<double>(), 2);
  EXPECT_EQ(norms[1].item<double>(), 2);
  EXPECT_NEAR(norms[2].item<double>(), 2.5 / (1 + kAllowance), 1e-6);
  EXPECT_NEAR(norms[3].item<double>(), 4 / (1 + kAllowance), 1e-6);
}

}  // namespace
}  // namespace ghostgrad::rules
