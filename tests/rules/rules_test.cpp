// SPDX-License-Identifier: Apache-2.0
// Every case of every family against the naive loop, and whether the judge would notice if it were otherwise.
#include "tests/rules/harness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace ghostgrad::rules::tests {
namespace {

class Rules : public ::testing::TestWithParam<Case> {
 protected:
  static void expect_agreement(at::ScalarType dtype) {
    for (int64_t examples : {1, 2, 5}) {
      const auto wrong = faults(GetParam(), dtype, examples);
      EXPECT_TRUE(wrong.empty()) << fmt::format("{}", fmt::join(wrong, "\n"));
    }
  }
};

TEST_P(Rules, AgreeWithTheNaiveLoopInFloat64) { expect_agreement(at::kDouble); }
TEST_P(Rules, AgreeWithTheNaiveLoopInFloat32) { expect_agreement(at::kFloat); }
TEST_P(Rules, AgreeWithTheNaiveLoopInBFloat16) { expect_agreement(at::kBFloat16); }

INSTANTIATE_TEST_SUITE_P(Cases, Rules, ::testing::ValuesIn(all_cases()), [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace ghostgrad::rules::tests
