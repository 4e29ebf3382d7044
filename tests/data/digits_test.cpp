// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/digits.h"

#include "tests/data/files.h"
#include <gmock/gmock.h>

#include "ghostgrad/data/glyphs.h"

namespace ghostgrad::data {
namespace {

const Split& standard() {
  static const Split split = digits();
  return split;
}

TEST(Glyphs, AreOneToThreeStrokesInsideTheUnitSquare) {
  for (int64_t digit = 0; digit < 10; ++digit) {
    for (const auto& glyph : glyphs_of(digit)) {
      EXPECT_TRUE(glyph.size() >= 1 && glyph.size() <= 3) << digit;
      for (const auto& stroke : glyph) {
        EXPECT_GE(stroke.size(), 2U) << digit;
        for (const auto& point : stroke) EXPECT_TRUE(point.x > 0 && point.x < 1 && point.y > 0 && point.y < 1) << digit;
      }
    }
  }
}

TEST(Glyphs, AreSmoothedThroughTheirControlPoints) {
  const Stroke stroke{{0, 0}, {1, 2}, {3, 1}};
  const auto curve = smooth(stroke, 4);
  ASSERT_EQ(curve.size(), 9U);
  for (std::size_t i = 0; i < stroke.size(); ++i) {
    EXPECT_DOUBLE_EQ(curve[4 * i].x, stroke[i].x);
    EXPECT_DOUBLE_EQ(curve[4 * i].y, stroke[i].y);
  }
}

TEST(Glyphs, AreSmoothedAlongAStraightLine) {
  for (const auto& point : smooth({{0, 0}, {1, 2}}, 4)) EXPECT_DOUBLE_EQ(point.y, 2 * point.x);
}

TEST(Digits, HaveTheShapesOfMnist) {
  EXPECT_EQ(standard().train.inputs.sizes(), at::IntArrayRef({4000, 1, 28, 28}));
  EXPECT_EQ(standard().test.inputs.sizes(), at::IntArrayRef({1000, 1, 28, 28}));
  EXPECT_EQ(standard().train.inputs.scalar_type(), at::kFloat);
  EXPECT_EQ(standard().train.targets.scalar_type(), at::kLong);
  EXPECT_EQ(standard().train.classes, 10);
}

TEST(Digits, HoldEveryClassAboutEquallyOften) {  // 400 expected, deviation 19: five deviations
  const auto counts = at::bincount(standard().train.targets, {}, 10);
  EXPECT_EQ(counts.size(0), 10);
  EXPECT_GT(counts.min().item<int64_t>(), 300);
  EXPECT_LT(counts.max().item<int64_t>(), 500);
}

TEST(Digits, HaveInputsNearZeroMeanAndUnitDeviation) {
  EXPECT_NEAR(standard().train.inputs.mean().item<double>(), 0.0, 0.05);
  EXPECT_NEAR(standard().train.inputs.std().item<double>(), 1.0, 0.05);
}

TEST(Digits, AreTheSameForTheSameSeedAndDifferentForAnother) {
  const auto first = digits({.train = 20, .test = 10}), again = digits({.train = 20, .test = 10});
  const auto other = digits({.train = 20, .test = 10, .seed = 2});
  EXPECT_TRUE(first.train.inputs.equal(again.train.inputs));
  EXPECT_TRUE(first.test.targets.equal(again.test.targets));
  EXPECT_FALSE(first.train.inputs.equal(other.train.inputs));
}

TEST(Digits, DrawTestExamplesIndependentlyOfHowManyAreForTraining) {
  const auto few = digits({.train = 3, .test = 10});
  EXPECT_TRUE(few.test.inputs.equal(standard().test.inputs.slice(0, 0, 10)));
  EXPECT_TRUE(few.train.inputs.equal(standard().train.inputs.slice(0, 0, 3)));
}

TEST(Digits, NeverDrawTheSameExampleTwice) {
  const auto rows = at::cat({standard().train.inputs, standard().test.inputs}).flatten(1).to(at::kDouble);
  const auto prints = std::get<0>(rows.matmul(at::arange(1, 785, at::kDouble).sin()).sort());  // equal rows have equal prints
  EXPECT_GT(prints.diff().min().item<double>(), 0.0);
}

TEST(Digits, RefuseToBeEmpty) {
  EXPECT_THAT(message_of<base::InvalidArgument>([] { (void)digits({.train = 0}); }), testing::HasSubstr("got 0"));
  EXPECT_THROW((void)digits({.test = -1}), base::InvalidArgument);
}

// Least squares on one-hot targets: what a linear model makes of the pixels. 74 % when written.
TEST(Digits, AreNotLinearlySeparable) {
  const auto with_bias = [](const Dataset& set) { return at::cat({set.inputs.flatten(1), at::ones({set.size(), 1})}, 1); };
  const auto x = with_bias(standard().train);
  const auto gram = x.t().matmul(x) + 10 * at::eye(x.size(1));
  const auto weights = at::linalg_solve(gram, x.t().matmul(at::one_hot(standard().train.targets, 10).to(at::kFloat)));
  const auto hits = with_bias(standard().test).matmul(weights).argmax(1).eq(standard().test.targets);
  const auto accuracy = hits.to(at::kFloat).mean().item<double>();
  EXPECT_GT(accuracy, 0.65);
  EXPECT_LT(accuracy, 0.85);
}

}  // namespace
}  // namespace ghostgrad::data
