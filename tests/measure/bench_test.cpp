// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/bench.h"

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/clip/method.h"
#include "ghostgrad/measure/largest_batch.h"

namespace ghostgrad::measure {
namespace {

TEST(Bench, MeasuresEveryMethodAtEveryBatch) {
  std::vector<std::string> heard;
  const auto rows = run_bench({.models = {"mlp_128_256"}, .batches = {2, 5}, .rounds = 1},
                              [&](const std::string& workload) { heard.push_back(workload); });
  ASSERT_EQ(rows.size(), 2 * clip::methods().size());
  EXPECT_EQ(heard.size(), 2);
  for (size_t k = 0; k < rows.size(); ++k) {
    const BenchRow& base = rows[k - k % clip::methods().size()];
    EXPECT_EQ(base.method, "non_private");
    EXPECT_EQ(rows[k].batch, k < clip::methods().size() ? 2 : 5);
    EXPECT_GT(rows[k].median_ms, 0);
    EXPECT_LE(rows[k].minimum_ms, rows[k].median_ms);
    EXPECT_DOUBLE_EQ(rows[k].ratio, rows[k].median_ms / base.median_ms);
    EXPECT_GT(rows[k].peak_bytes, 4 * 136'074) << "gradients at least: " << rows[k].method;
    EXPECT_EQ(rows[k].error, -1);
    EXPECT_DOUBLE_EQ(rows[k].formula_ratio, rows[k].operations / base.operations);
    EXPECT_EQ(rows[k].paper_ratio.has_value(), rows[k].method != "auto");
  }
}

TEST(Bench, MeasuresTheErrorAgainstOneExampleAtATime) {
  for (const BenchRow& row :
       run_bench({.models = {"gpt2_tiny"}, .methods = {"bk", "auto"}, .batches = {3}, .rounds = 1, .check = true}, {})) {
    if (row.method == "non_private") continue;
    EXPECT_GT(row.error, 0) << row.method;
    EXPECT_LT(row.error, 1e-4) << row.method;
  }
}

TEST(Bench, MeasuresTheBaseFirstAndOnce) {
  EXPECT_EQ(methods_to_measure({"bk", "non_private"}), (std::vector<std::string>{"non_private", "bk"}));
  EXPECT_EQ(methods_to_measure({}).size(), clip::methods().size());
  EXPECT_THROW((void)methods_to_measure({"magic"}), base::InvalidArgument);
}

TEST(Bench, RefusesWhatItCannotMeasure) {
  EXPECT_THROW((void)run_bench({.models = {"perceptron"}}, {}), base::InvalidArgument);
  EXPECT_THROW((void)run_bench({.threads = {0}}, {}), base::InvalidArgument);
  EXPECT_THROW((void)run_bench({.rounds = 0}, {}), base::InvalidArgument);
}

// gpt2_tiny ties its head to its embedding [V, 128]: formed for each example, that gradient alone would be 10 MB with these tokens.
TEST(Bench, FindsNoGradientOfATiedTableForEachExample) {
  const BenchOptions options{.models = {"gpt2_tiny"},
                             .methods = {"bk", "per_example"},
                             .batches = {16},
                             .sizes = {.positions = 4, .vocabulary = 20'000},
                             .rounds = 1};
  const auto rows = run_bench(options, {});
  EXPECT_GT(rows[2].peak_bytes - rows[0].peak_bytes, 16 * 10'000'000) << "instantiated, as its name says";
  EXPECT_LT(rows[1].peak_bytes - rows[0].peak_bytes, 6 * 10'000'000) << "three tables: the sum in 64 bits and as it is formed";
}

TEST(LargestBatch, FitsAndIsTheLargest) {
  const CapOptions options{.models = {"mlp_128_256"}, .methods = {"per_example", "bk"}, .cap_bytes = 20 << 20, .limit = 200};
  const auto rows = run_caps(options, {});
  ASSERT_EQ(rows.size(), 3);
  for (const CapRow& row : rows) EXPECT_LE(row.peak_bytes, options.cap_bytes) << row.method;
  EXPECT_EQ(rows[0].largest, 200);
  EXPECT_TRUE(rows[0].is_limit && rows[2].is_limit);
  // Instantiated gradients: two of 0.54 MB for each example, and as much again for parameters, sum and output gradients.
  EXPECT_GT(rows[1].largest, 8);
  EXPECT_LT(rows[1].largest, 40);
  EXPECT_FALSE(rows[1].is_limit);
}

// 0.52 MB of gradients for each example: with leave to keep none of them, `auto` takes about the batches of the published rule.
TEST(LargestBatch, OfAutoIsBoundedByWhatItMayKeep) {
  CapOptions options{.models = {"cnn_20_50"}, .methods = {"auto", "bk_mixed_ghost"}, .cap_bytes = 40 << 20, .limit = 256};
  options.keep_bytes = 0;
  const auto none = run_caps(options, {});
  options.keep_bytes = options.cap_bytes;
  const auto all = run_caps(options, {});
  EXPECT_GT(none[1].largest, 3 * all[1].largest / 2);
  EXPECT_GE(10 * none[1].largest, 9 * none[2].largest);
}

TEST(LargestBatch, IsZeroWhereNothingFits) {
  const auto rows = run_caps({.models = {"mlp_128_256"}, .methods = {"bk"}, .cap_bytes = 1000}, {});
  EXPECT_EQ(rows[1].largest, 0);
  EXPECT_EQ(rows[1].examples_per_second, 0);
}

TEST(LargestBatch, RefusesACapOfNothing) {
  EXPECT_THROW((void)run_caps({}, {}), base::InvalidArgument);
  EXPECT_THROW((void)run_caps({.cap_bytes = 1 << 20, .limit = 0}, {}), base::InvalidArgument);
}

}  // namespace
}  // namespace ghostgrad::measure
