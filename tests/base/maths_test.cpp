// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/base/maths.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace ghostgrad::base {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// `got` within 1e-15 of the oracle, which is computed in extended precision; relative for results beyond 1.
void expect_close(double got, long double exact) {
  EXPECT_NEAR(got, static_cast<double>(exact), 1e-15 * std::max(1.0, std::abs(static_cast<double>(exact))));
}

TEST(LogAdd, AddsWhereTheExponentialsCanBeFormed) {
  for (const double a : {-5.0, 0.0, 3.5}) {
    for (const double b : {-20.0, 0.25, 4.0})
      expect_close(log_add(a, b), std::log(std::exp(static_cast<long double>(a)) + std::exp(static_cast<long double>(b))));
  }
}

TEST(LogAdd, NeitherOverflowsNorMeetsNanAtInfinity) {
  EXPECT_DOUBLE_EQ(log_add(1e5, 1e5), 1e5 + std::log(2.0));
  EXPECT_EQ(log_add(-infinity, 3), 3);
  EXPECT_EQ(log_add(-infinity, -infinity), -infinity);
  EXPECT_EQ(log_add(infinity, infinity), infinity);
  EXPECT_EQ(log_add(infinity, -infinity), infinity);
}

TEST(LogExpm1, KeepsItsDigitsForSmallAndLargeArguments) {
  for (const double x : {1e-300, 1e-12, 0.3, 0.69, 0.7, 5.0, 40.0})
    expect_close(log_expm1(x), std::log(std::expm1(static_cast<long double>(x))));
  EXPECT_EQ(log_expm1(1e6), 1e6);
}

TEST(Log1pExp, KeepsItsDigitsForSmallAndLargeArguments) {
  for (const double x : {-700.0, -40.0, -1.0, 0.0, 1.0, 40.0})
    expect_close(log1p_exp(x), std::log1p(std::exp(static_cast<long double>(x))));
  EXPECT_DOUBLE_EQ(log1p_exp(-700), std::exp(-700.0)) << "relative to the result, however small";
  EXPECT_EQ(log1p_exp(1e6), 1e6);
  EXPECT_EQ(log1p_exp(-infinity), 0);
}

TEST(LogSum, EqualsLogAddTermByTermInAnyOrder) {
  const std::vector<double> terms = {-3, 700, 2, 705, -infinity, 704.5};
  LogSum forward;
  LogSum backward;
  double expected = -infinity;
  for (const double term : terms) expected = log_add(expected, term);
  for (auto it = terms.begin(); it != terms.end(); ++it) forward.add(*it);
  for (auto it = terms.rbegin(); it != terms.rend(); ++it) backward.add(*it);
  EXPECT_DOUBLE_EQ(forward.value(), expected);
  EXPECT_DOUBLE_EQ(backward.value(), expected);
}

TEST(LogSum, IsMinusInfinityWhenEmptyAndKeepsInfinityAndNan) {
  LogSum sum;
  EXPECT_EQ(sum.value(), -infinity);
  sum.add(2);
  sum.add(infinity);
  sum.add(5);
  sum.add(infinity);
  EXPECT_EQ(sum.value(), infinity);
  LogSum poisoned;
  poisoned.add(1);
  poisoned.add(std::nan(""));
  EXPECT_TRUE(std::isnan(poisoned.value()));
}

}  // namespace
}  // namespace ghostgrad::base
