// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/formulas.h"

#include <gtest/gtest.h>

#include "ghostgrad/measure/runner.h"

namespace ghostgrad::measure {
namespace {

constexpr double kExamples = 4, kPositions = 8, kInputs = 3, kOutputs = 5;  // B, T, d, p
constexpr double kPass = kExamples * kPositions * kInputs * kOutputs;       // B T p d
constexpr double kGram = kExamples * kPositions * kPositions * (kInputs + kOutputs);

rules::Cost layer() {
  return {.instantiate = kPass,
          .gram = kGram,
          .weighted_sum = kPass,
          .kept_elements = kExamples * kInputs * kOutputs,
          .positions = kPositions,
          .weight_elements = kInputs * kOutputs};
}

Formula of_a_layer(const std::string& method) {
  const std::vector<rules::Cost> costs{layer()};
  return formula_of(clip::find_method(method), costs, static_cast<int64_t>(kExamples));
}

double operations_of(const std::string& method) { return of_a_layer(method).operations; }

// 2 T^2 = 128 > p d = 15: the mixed methods instantiate.
TEST(Formula, CountsAFirstBackwardWithoutWeightGradients) {
  EXPECT_EQ(operations_of("non_private"), 6 * kPass);
  EXPECT_EQ(operations_of("ghost"), 8 * kPass + 2 * kGram);
  EXPECT_EQ(operations_of("bk"), 6 * kPass + 2 * kGram);
  EXPECT_EQ(operations_of("bk_mixed_ghost"), 8 * kPass);
  EXPECT_EQ(operations_of("bk_mixed_opt"), 6 * kPass + 2 * kExamples * kInputs * kOutputs);
  EXPECT_EQ(operations_of("per_example"), operations_of("bk_mixed_opt"));
  EXPECT_EQ(operations_of("naive"), 6 * kPass);
  EXPECT_EQ(operations_of("multi_loss"), 2 * kPass + 4 * kExamples * kPass);
}

// Back-propagation, instantiation or ghost norm, and second back-propagation or weighted gradient [Bu22, Fig. 1]; one of them [Bu22bk].
TEST(Formula, OfThePapersCountsAnOrdinaryFirstBackwardWhereTheyRunOne) {
  const double weighted = 2 * kExamples * kInputs * kOutputs;
  EXPECT_EQ(of_a_layer("ghost").paper_operations, 10 * kPass + 2 * kGram);
  EXPECT_EQ(of_a_layer("mixed_ghost").paper_operations, 12 * kPass);
  EXPECT_EQ(of_a_layer("per_example").paper_operations, 8 * kPass + weighted);
  for (const char* same : {"non_private", "naive", "multi_loss", "bk", "bk_mixed_ghost", "bk_mixed_opt"})
    EXPECT_EQ(of_a_layer(same).paper_operations, operations_of(same)) << same;
  EXPECT_FALSE(of_a_layer("auto").paper_operations) << "in no paper";
}

// GPT-2 small on 100 tokens: 1.03 times ordinary training, and 0.61 times ghost clipping, which [Bu22bk] states.
TEST(Formula, OfThePapersGivesTheQuotientsThatTheyState) {
  const double width = 768, tokens = 100;
  std::vector<rules::Cost> costs;
  for (const auto& [inputs, outputs] : {std::pair{1.0, 3.0}, {1.0, 1.0}, {1.0, 4.0}, {4.0, 1.0}}) {
    const double d = inputs * width, p = outputs * width;
    costs.push_back({tokens * p * d, tokens * tokens * (p + d), tokens * p * d, p * d, tokens, p * d});
  }
  const auto count = [&](const char* method) { return *formula_of(clip::find_method(method), costs, 1).paper_operations; };
  EXPECT_NEAR(count("bk") / count("non_private"), 1.03, 0.04);
  EXPECT_NEAR(count("bk") / count("ghost"), 0.61, 0.01);
}

TEST(Formula, CountsWhatEachMethodHoldsBeyondOrdinaryTraining) {
  const std::vector<rules::Cost> costs{layer(), layer()};
  const auto bytes_of = [&](const char* method) { return formula_of(clip::find_method(method), costs, 4).extra_bytes; };
  const double kept = 4 * kExamples * kInputs * kOutputs;
  EXPECT_EQ(bytes_of("non_private"), 0);
  EXPECT_EQ(bytes_of("bk"), 4 * 2 * kExamples * kPositions * kPositions);
  EXPECT_EQ(bytes_of("reweight"), kept) << "of one layer at a time";
  EXPECT_EQ(bytes_of("per_example"), 2 * kept) << "of both layers";
}

TEST(Formula, ReadsTheShapesOfAModelFromItsGraph) {
  const Workload workload = make_workload("mlp", {.batch = 16});
  const auto costs = Runner(workload, "bk").costs();
  const double products = 784.0 * 512 + 512 * 256 + 256 * 10, biases = 512 + 256 + 10;
  const double operations = formula_of(clip::find_method("non_private"), costs, 16).operations;
  EXPECT_NEAR(operations, 6 * 16 * (products + biases), 0.01 * operations);
}

}  // namespace
}  // namespace ghostgrad::measure
