// SPDX-License-Identifier: Apache-2.0
// Every method on every family of models against the one-example-at-a-time loop.
#include "zoo.h"

#include "measure.h"

#include <gtest/gtest.h>

#include "ghostgrad/clip/method.h"

namespace ghostgrad::tests {
namespace {

class Zoo : public testing::TestWithParam<SubjectFactory> {};

void expect_exact(const SubjectFactory& factory, at::ScalarType dtype, double tolerance) {
  for (const int64_t examples : {2, 5}) {
    torch::manual_seed(17 + examples);
    const Subject subject = factory.make(examples, dtype);
    const double threshold = reference(subject, 1.0).norms.median().item<double>();  // clips some and not others
    const Reference expected = reference(subject, threshold);
    for (const auto& method : clipping_methods()) {
      const Measured got = measure(subject, {.method = method, .threshold = threshold});
      EXPECT_LT(relative_error({got.norms}, {expected.norms}), tolerance) << method << " norms, B = " << examples;
      EXPECT_LT(relative_error(got.sums, expected.sums, threshold), tolerance) << method << " sums, B = " << examples;
      EXPECT_EQ(got.nonfinite, 0) << method;
    }
  }
}

TEST_P(Zoo, GetsTheClippedSumOfTheLoopFromEveryMethodInFloat64) { expect_exact(GetParam(), at::kDouble, 1e-10); }

TEST_P(Zoo, GetsTheClippedSumOfTheLoopFromEveryMethodInFloat32) { expect_exact(GetParam(), at::kFloat, 1e-5); }

TEST_P(Zoo, RunsByRulesAlone) {
  torch::manual_seed(17);
  EXPECT_FALSE(runs_through_the_fallback(measure(GetParam().make(5, at::kFloat), {.method = "bk_mixed_opt"})));
}

INSTANTIATE_TEST_SUITE_P(Families, Zoo, testing::ValuesIn(zoo_subjects()), [](const auto& subject) { return subject.param.name; });

}  // namespace
}  // namespace ghostgrad::tests
