// SPDX-License-Identifier: Apache-2.0
// Every method on every subject against the one-example-at-a-time loop.
#include "subjects.h"

#include <gtest/gtest.h>

#include "ghostgrad/clip/clipper.h"

namespace ghostgrad::tests {
namespace {

struct Measured {
  at::Tensor norms;
  std::vector<at::Tensor> sums;
};

Measured run(const Subject& subject, const std::string& method, double threshold) {
  clip::Clipper clipper(subject.parameters, {.threshold = threshold, .method = method});
  auto sum = clipper.start(std::nullopt);
  if (clipper.method().norm == clip::NormRoute::loop_forward) {
    const auto losses_of = [&](int64_t i) {
      Batch one;
      for (const at::Tensor& tensor : subject.batch) one.push_back(tensor.narrow(0, i, 1));
      return subject.losses(one);
    };
    const at::Tensor norms = clipper.accumulate_each(subject.batch[0].size(0), losses_of, {}, sum);
    return {norms, sum.totals()};
  }
  const at::Tensor norms = clipper.accumulate(subject.losses(subject.batch), {}, sum);
  return {norms, sum.totals()};
}

class EveryMethod : public testing::TestWithParam<SubjectFactory> {};

void expect_exact(const SubjectFactory& factory, at::ScalarType dtype, double tolerance) {
  for (int64_t examples : {1, 2, 5}) {
    torch::manual_seed(17 + examples);
    const Subject subject = factory.make(examples, dtype);
    const double threshold = reference(subject, 1.0).norms.median().item<double>();  // clips some and not others
    const Reference expected = reference(subject, threshold);
    for (const clip::Method& method : clip::methods()) {
      if (method.norm == clip::NormRoute::none) continue;
      const Measured got = run(subject, method.name, threshold);
      EXPECT_LT(relative_error({got.norms}, {expected.norms}), tolerance) << method.name << " norms, B = " << examples;
      EXPECT_LT(relative_error(got.sums, expected.sums, threshold), tolerance) << method.name << " sums, B = " << examples;
    }
  }
}

TEST_P(EveryMethod, GivesTheClippedSumOfTheLoopInFloat64) { expect_exact(GetParam(), at::kDouble, 1e-10); }

TEST_P(EveryMethod, GivesTheClippedSumOfTheLoopInFloat32) { expect_exact(GetParam(), at::kFloat, 1e-5); }

INSTANTIATE_TEST_SUITE_P(Subjects, EveryMethod, testing::ValuesIn(subjects()), [](const auto& subject) { return subject.param.name; });
INSTANTIATE_TEST_SUITE_P(Layers, EveryMethod, testing::ValuesIn(layer_subjects()), [](const auto& subject) { return subject.param.name; });

}  // namespace
}  // namespace ghostgrad::tests
