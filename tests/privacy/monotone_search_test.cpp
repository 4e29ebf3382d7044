// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/monotone_search.h"

#include <cmath>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

namespace ghostgrad::privacy {
namespace {

using Function = std::function<double(double)>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Axis falling{.least = 1e-12, .most = 1e12, .start = 1, .good_when_large = true};
constexpr Axis rising{.least = 1e-12, .most = 1e12, .start = 1, .good_when_large = false};
constexpr Axis counted{.least = 1, .most = 0x1p53, .start = 1, .good_when_large = false, .integral = true};

Boundary boundary(const Axis& axis, double target, const Function& f) {
  int asked = 0;
  const auto found = find_boundary(axis, target, [&](double x) {
    ++asked;
    EXPECT_GE(x, axis.least);
    EXPECT_LE(x, axis.most);
    return Bound{f(x)};
  });
  EXPECT_EQ(found.questions, asked);
  EXPECT_LE(asked, max_questions);
  return found;
}

TEST(MonotoneSearch, FindsWhereAPowerCrossesTheTargetInAFewQuestions) {
  for (const double power : {0.5, 1.0, 2.0}) {
    for (const double root : {1e-6, 0.3, 1.0, 17.0, 1e7}) {
      const double target = 3;
      const auto found = boundary(falling, target, [&](double x) { return target * std::pow(root / x, power); });
      EXPECT_NEAR(found.good->at, root, 2e-9 * root);
      EXPECT_LE(found.good->answer.value, target);
      EXPECT_GT(found.bad->answer.value, target);
      EXPECT_LE(found.questions, 16) << power << " " << root;
    }
  }
}

TEST(MonotoneSearch, SearchesUpwardOnAnAxisThatIsGoodWhenSmall) {
  const auto found = boundary(rising, 2, [](double x) { return std::log1p(x / 40); });
  EXPECT_NEAR(found.good->at, 40 * std::expm1(2), 1e-6);
  EXPECT_LT(found.good->at, found.bad->at);
}

TEST(MonotoneSearch, EndsBetweenNeighboursOnAnAxisOfIntegers) {
  for (const double last : {1.0, 2.0, 7.0, 1000.0, 123456789.0, 0x1p50}) {
    for (const double power : {0.5, 1.0}) {
      const auto found = boundary(counted, 1, [&](double x) { return std::pow(x / (last + 0.5), power); });
      EXPECT_EQ(found.good->at, last);
      EXPECT_EQ(found.bad->at, last + 1);
      EXPECT_LE(found.questions, 60);
    }
  }
}

TEST(MonotoneSearch, SaysWhenAllOfTheAxisIsGoodOrBad) {
  const auto good = boundary(falling, 2, [](double) { return 1.0; });
  EXPECT_EQ(good.good->at, falling.least);
  EXPECT_FALSE(good.bad);
  const auto bad = boundary(falling, 2, [](double) { return 3.0; });
  EXPECT_FALSE(bad.good);
  EXPECT_EQ(bad.bad->at, falling.most) << "where the answer is least";
  EXPECT_EQ(boundary(counted, 2, [](double) { return 1.0; }).good->at, counted.most);
  EXPECT_EQ(boundary(counted, 2, [](double) { return 3.0; }).bad->at, 1);
}

TEST(MonotoneSearch, ClosesInOnJumps) {
  for (const double low : {0.0, 0.5}) {
    for (const double high : {infinity, std::nan(""), 4.0}) {
      const auto found = boundary(falling, 1, [&](double x) { return x < 2 ? high : low; });
      EXPECT_GE(found.good->at, 2);
      EXPECT_NEAR(found.good->at, 2, 1e-8);
      EXPECT_LT(found.bad->at, 2);
    }
  }
}

TEST(MonotoneSearch, ReturnsAPointThatWasAskedAlsoWhenTheAnswersWiggle) {
  const Function wiggling = [](double x) { return 10 / x * (1 + 1e-6 * std::sin(1e9 * x)); };
  const auto found = boundary(falling, 3, wiggling);
  EXPECT_EQ(found.good->answer.value, wiggling(found.good->at));
  EXPECT_LE(found.good->answer.value, 3);
  EXPECT_GE(found.good->answer.value, 3 * (1 - 3e-6));
}

TEST(MonotoneSearch, NeverTakesNotANumberForAPromise) {
  const auto found = boundary(falling, 1, [](double) { return std::nan(""); });
  EXPECT_FALSE(found.good);
}

}  // namespace
}  // namespace ghostgrad::privacy
