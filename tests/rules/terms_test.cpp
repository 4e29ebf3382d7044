// SPDX-License-Identifier: Apache-2.0
// What the terms promise beyond agreeing with the loop.
#include <set>

#include <gtest/gtest.h>

#include "ghostgrad/rules/convolution_term.h"
#include "ghostgrad/rules/linear_term.h"
#include "ghostgrad/rules/rows_term.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {
namespace {

/// images: B examples of m images with C channels.
struct Layer {
  int64_t examples, images, channels, size, outputs, kernel;
  Convolution convolution;
};

ConvolutionTerm term_of(const Layer& layer, at::ScalarType dtype = at::kDouble) {
  const auto& c = layer.convolution;
  const int64_t reach = c.dilation[0] * (layer.kernel - 1) + 1, positions = (layer.size + 2 * c.padding[0] - reach) / c.stride[0] + 1;
  const auto options = at::TensorOptions(dtype);
  return {at::randn({layer.examples, layer.images, layer.channels, layer.size, layer.size}, options),
          at::randn({layer.examples, layer.images, layer.outputs, positions, positions}, options),
          {layer.outputs, layer.channels / c.groups, layer.kernel, layer.kernel},
          c};
}

Convolution plain(int64_t padding = 0, int64_t groups = 1) { return {{1, 1}, {padding, padding}, {1, 1}, groups}; }

double difference(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

TEST(ConvolutionTerm, GivesTheSameGradientsInEveryWay) {
  at::manual_seed(1);
  for (const Layer& layer : {Layer{3, 1, 4, 6, 5, 3, plain(1)}, Layer{3, 2, 4, 6, 5, 3, plain()}, Layer{2, 2, 4, 7, 6, 3, plain(1, 2)},
                             Layer{3, 1, 4, 9, 8, 2, {{2, 2}, {1, 1}, {3, 3}, 4}}, Layer{3, 2, 4, 5, 5, 1, plain()},
                             Layer{1, 1, 3, 8, 4, 3, {{3, 3}, {0, 0}, {1, 1}, 1}}}) {
    const ConvolutionTerm term = term_of(layer);
    const at::Tensor expected = term.per_example_by(ConvolutionWay::one_by_one);
    EXPECT_LT(difference(term.per_example_by(ConvolutionWay::grouped), expected), 1e-12);
    EXPECT_LT(difference(term.per_example_by(ConvolutionWay::unfolded), expected), 1e-12);
    EXPECT_LT(difference(term.squared_norms(), squares_per_example(expected)), 1e-12);
  }
}

TEST(ConvolutionTerm, WorksThroughLargeBatchesInBlocks) {
  at::manual_seed(2);
  const ConvolutionTerm term = term_of({40, 1, 16, 32, 4, 3, plain(1)});  // 147,456 unfolded elements each: two blocks
  const at::Tensor expected = term.per_example_by(ConvolutionWay::one_by_one);
  EXPECT_LT(difference(term.per_example_by(ConvolutionWay::unfolded), expected), 1e-12);
  EXPECT_LT(difference(term.squared_norms(), squares_per_example(expected)), 1e-12);
}

TEST(ConvolutionTerm, ChoosesItsWayByShape) {
  EXPECT_EQ(term_of({2, 1, 64, 32, 64, 3, plain(1)}).chosen(), ConvolutionWay::one_by_one);
  EXPECT_EQ(term_of({2, 1, 16, 8, 16, 3, plain(1)}).chosen(), ConvolutionWay::grouped);
  EXPECT_EQ(term_of({2, 1, 32, 8, 32, 3, plain(1, 32)}).chosen(), ConvolutionWay::grouped);
  EXPECT_EQ(term_of({2, 1, 3, 32, 32, 3, plain(1)}).chosen(), ConvolutionWay::unfolded);
  EXPECT_EQ(term_of({2, 1, 64, 16, 64, 1, plain()}).chosen(), ConvolutionWay::unfolded);
  EXPECT_EQ(term_of({2, 1, 256, 8, 256, 3, plain(1)}).chosen(), ConvolutionWay::unfolded);
}

TEST(ConvolutionTerm, CountsPositionsOfAllImages) {
  const Cost cost = term_of({3, 2, 4, 6, 5, 3, plain(1)}).cost();
  EXPECT_EQ(cost.positions, 2 * 36);
  EXPECT_EQ(cost.weight_elements, 5 * 4 * 9);
  EXPECT_EQ(cost.kept_elements, 3 * 5 * 4 * 9);
  EXPECT_EQ(cost.instantiate, 3.0 * 72 * 5 * 36);
  EXPECT_EQ(cost.gram, 3.0 * 72 * 72 * (5 + 36));
}

TEST(ConvolutionTerm, JoinsUsesOfOneShapeOnly) {
  const ConvolutionTerm term = term_of({3, 1, 4, 6, 5, 3, plain(1)}), same = term_of({3, 2, 4, 6, 5, 3, plain(1)});
  const ConvolutionTerm larger = term_of({3, 1, 4, 7, 5, 3, plain(1)}), unpadded = term_of({3, 1, 4, 6, 5, 3, plain(0)});
  const TermPtr joined = term.concatenate({&same});
  ASSERT_NE(joined, nullptr);
  EXPECT_LT(difference(joined->per_example(), term.per_example() + same.per_example()), 1e-12);
  EXPECT_EQ(term.concatenate({&larger}), nullptr);
  EXPECT_EQ(term.concatenate({&unpadded}), nullptr);
}

TEST(RowsTerm, AddsARepeatedRowUpBeforeItIsSquared) {
  const RowsTerm term(at::zeros({1, 2}, at::kLong), at::ones({1, 2, 1}), {3, 1});
  EXPECT_EQ(term.squared_norms().item<float>(), 4);
}

TEST(RowsTerm, KeepsExamplesThatLookTheSameRowUpApart) {
  const RowsTerm term(at::zeros({2, 1}, at::kLong), at::ones({2, 1, 1}), {3, 1});
  EXPECT_TRUE(at::equal(term.squared_norms(), at::ones({2})));
}

TEST(RowsTerm, JoinsTheRowsOfSeveralUses) {
  at::manual_seed(3);
  const RowsTerm first(at::randint(5, {3, 4}, at::kLong), at::randn({3, 4, 2}), {5, 2}),
      second(at::randint(5, {3, 6}, at::kLong), at::randn({3, 6, 2}), {5, 2});
  const TermPtr joined = first.concatenate({&second});
  ASSERT_NE(joined, nullptr);
  EXPECT_LT(difference(joined->squared_norms(), squares_per_example(first.per_example() + second.per_example())), 1e-6);
}

TEST(RowsTerm, DoesNotJoinOtherKinds) {
  const RowsTerm rows(at::zeros({1, 2}, at::kLong), at::ones({1, 2, 1}), {3, 1});
  const LinearTerm linear(at::ones({1, 1, 2, 3}), at::ones({1, 1, 2, 1}), {3, 1});
  EXPECT_EQ(rows.concatenate({&linear}), nullptr);
  EXPECT_EQ(linear.concatenate({&rows}), nullptr);
}

TEST(Registry, KnowsEveryFamily) {
  std::set<std::string> names;
  for (const RuleInfo& info : all_rules()) {
    names.insert(info.name);
    EXPECT_FALSE(info.formula.empty()) << info.node;
  }
  for (const char* name :
       {"linear", "convolution", "embedding", "layer norm", "RMS norm", "group norm", "batch norm", "broadcast", "PReLU"}) {
    EXPECT_EQ(names.count(name), 1u) << name;
  }
}

}  // namespace
}  // namespace ghostgrad::rules
