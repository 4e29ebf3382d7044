// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/workload.h"

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::measure {
namespace {

TEST(Workload, OfEveryModelThatIsSmallHasOneFiniteLossForEachExample) {
  for (const auto& architecture : models::architectures()) {
    if (architecture.parameters > 12'000'000) continue;
    const Workload workload = make_workload(std::string(architecture.name), {.batch = 2});
    const at::Tensor losses = workload.losses(workload.batch);
    EXPECT_EQ(losses.sizes(), at::IntArrayRef({2})) << architecture.name;
    EXPECT_TRUE(losses.isfinite().all().item<bool>()) << architecture.name;
    EXPECT_EQ(workload.examples, 2);
    EXPECT_EQ(workload.batch[0].size(0), 2) << architecture.name;
  }
}

TEST(Workload, IsTheSameEachTimeAndInEachPrecision) {
  const Workload one = make_workload("gpt2_tiny", {.batch = 3}), again = make_workload("gpt2_tiny", {.batch = 3});
  const Workload exact = make_workload("gpt2_tiny", {.batch = 3, .dtype = at::kDouble});
  EXPECT_TRUE(one.losses(one.batch).equal(again.losses(again.batch)));
  EXPECT_TRUE(at::allclose(one.losses(one.batch).to(at::kDouble), exact.losses(exact.batch), 1e-5));
}

TEST(Workload, TakesSizesInsteadOfTheUsualOnes) {
  const Workload image = make_workload("resnet18", {.batch = 2, .side = 40});
  EXPECT_EQ(image.batch[0].sizes(), at::IntArrayRef({2, 3, 40, 40}));
  const Workload text = make_workload("gpt", {.batch = 2, .positions = 7, .vocabulary = 11});
  EXPECT_EQ(text.batch[0].sizes(), at::IntArrayRef({2, 7}));
  EXPECT_LT(text.batch[0].max().item<int64_t>(), 11);
  EXPECT_NE(text.what.find('7'), std::string::npos) << text.what;
  const Workload sentences = make_workload("roberta_tiny", {.batch = 40, .positions = 5, .vocabulary = 3});
  EXPECT_EQ(sentences.batch[0].max().item<int64_t>(), 2);
}

TEST(Workload, RefusesSizesThatTheModelHasNot) {
  EXPECT_THROW((void)make_workload("mlp", {.positions = 7}), base::InvalidArgument);
  EXPECT_THROW((void)make_workload("gpt", {.side = 32}), base::InvalidArgument);
  EXPECT_THROW((void)make_workload("resnet18", {.vocabulary = 10}), base::InvalidArgument);
  EXPECT_THROW((void)make_workload("resnet18", {.batch = -1}), base::InvalidArgument);
  EXPECT_THROW((void)make_workload("perceptron"), base::InvalidArgument);
}

}  // namespace
}  // namespace ghostgrad::measure
