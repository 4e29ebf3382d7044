// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/sample/physical.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

namespace ghostgrad::sample {
namespace {

/// Example i is the row (i + 1, i + 1), of class i.
data::Dataset numbered(int64_t size) {
  data::Dataset data;
  data.inputs = at::arange(1, size + 1, at::kFloat).unsqueeze(1).repeat({1, 2});
  data.targets = at::arange(size, at::kLong);
  data.classes = size;
  return data;
}

TEST(PhysicalBatches, HaveOneSizeAndHoldEachDrawnExampleOnce) {
  const auto batches = physical_batches({0, {1, 4, 5, 8, 9}, 2}, numbered(10));
  ASSERT_EQ(batches.size(), 3u);
  std::vector<int64_t> seen;
  for (const PhysicalBatch& batch : batches) {
    EXPECT_EQ(batch.inputs.sizes(), (at::IntArrayRef{2, 2}));
    EXPECT_EQ(batch.targets.size(0), 2);
    for (int64_t row = 0; row < 2; ++row) {
      if (!batch.mask[row].item<bool>()) continue;
      EXPECT_EQ(batch.inputs[row][0].item<float>(), batch.targets[row].item<int64_t>() + 1);
      seen.push_back(batch.targets[row].item<int64_t>());
    }
  }
  EXPECT_EQ(seen, (std::vector<int64_t>{1, 4, 5, 8, 9}));
}

TEST(PhysicalBatches, AreFilledUpWithZerosAndNotWithExamples) {
  const auto batches = physical_batches({0, {3}, 4}, numbered(10));
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].mask.sum().item<int64_t>(), 1);
  EXPECT_EQ(batches[0].inputs.narrow(0, 1, 3).abs().sum().item<float>(), 0.0f);
}

TEST(PhysicalBatches, AreNoneForAnEmptyLogicalBatch) { EXPECT_TRUE(physical_batches({0, {}, 4}, numbered(10)).empty()); }

TEST(PhysicalBatches, AreFullWhenTheDrawDividesEvenly) {
  for (const PhysicalBatch& batch : physical_batches({0, {0, 1, 2, 3}, 2}, numbered(4))) EXPECT_TRUE(batch.mask.all().item<bool>());
}

}  // namespace
}  // namespace ghostgrad::sample
