// SPDX-License-Identifier: Apache-2.0
// What the terms promise beyond agreeing with the loop.
#include <set>

#include <gtest/gtest.h>

#include "ghostgrad/rules/convolution_term.h"
#include "ghostgrad/rules/linear_term.h"
#include "ghostgrad/rules/rows_term.h"
#include "ghostgrad/rules/rule.h"
#include "ghostgrad/rules/sum_term.h"

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
  EXPECT_EQ(term.squared_norms().item<double>(), 4);
}

TEST(RowsTerm, KeepsExamplesThatLookTheSameRowUpApart) {
  const RowsTerm term(at::zeros({2, 1}, at::kLong), at::ones({2, 1, 1}), {3, 1});
  EXPECT_TRUE(at::equal(term.squared_norms(), at::ones({2}, at::kDouble)));
}

TEST(RowsTerm, JoinsTheRowsOfSeveralUses) {
  at::manual_seed(3);
  const RowsTerm first(at::randint(5, {3, 4}, at::kLong), at::randn({3, 4, 2}), {5, 2}),
      second(at::randint(5, {3, 6}, at::kLong), at::randn({3, 6, 2}), {5, 2});
  const TermPtr joined = first.concatenate({&second});
  ASSERT_NE(joined, nullptr);
  EXPECT_LT(difference(joined->squared_norms(), squares_per_example(first.per_example() + second.per_example())), 1e-6);
}

TEST(RowsTerm, AddsExamplesUpWithoutRoundingsOfOneSign) {
  at::Tensor grads = at::full({4097, 1, 1}, 0x0.8p-23 + 0x1p-30);  // over half a unit in the last place of the first: each would be a whole
  grads[0] = 1;
  const RowsTerm term(at::zeros({4097, 1}, at::kLong), grads, {3, 1});
  const double exact = grads.sum(at::kDouble).item<double>();
  EXPECT_NEAR(term.weighted_sum(at::ones({4097}, at::kDouble))[0].item<double>(), exact, 1e-7);
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

/// An embedding [20, 4] of 3 examples with 6 tokens, some of them repeated, beside a head of 5 positions on the same table.
struct Tied {
  at::Tensor index = at::randint(20, {3, 6}, at::kLong).index_fill_(1, at::tensor({1L, 4L}), 7);
  at::Tensor looked_up = at::randn({3, 6, 4}, at::kDouble), logits = at::randn({3, 1, 5, 20}, at::kDouble);
  at::Tensor hidden = at::randn({3, 1, 5, 4}, at::kDouble);

  [[nodiscard]] TermPtr embedding(at::ScalarType dtype) const {
    return std::make_unique<RowsTerm>(index, looked_up.to(dtype), Shape{20, 4});
  }
  [[nodiscard]] TermPtr head(at::ScalarType dtype) const {
    return std::make_unique<LinearTerm>(logits.to(dtype), hidden.to(dtype), Shape{20, 4});
  }
  [[nodiscard]] TermPtr both(at::ScalarType dtype, bool head_first) const {
    std::vector<TermPtr> terms;
    terms.push_back(head_first ? head(dtype) : embedding(dtype));
    terms.push_back(head_first ? embedding(dtype) : head(dtype));
    return added_up(std::move(terms));
  }
};

TEST(SumTerm, OfATiedEmbeddingAndHeadHasTheNormsOfTheSum) {
  at::manual_seed(3);
  const Tied tied;
  const at::Tensor expected = tied.embedding(at::kDouble)->per_example() + tied.head(at::kDouble)->per_example();
  for (const bool head_first : {false, true}) {
    const TermPtr term = tied.both(at::kDouble, head_first);
    EXPECT_TRUE(term->has_gram());
    EXPECT_LT(difference(term->per_example(), expected), 1e-14);
    EXPECT_LT(difference(term->squared_norms(), squares_per_example(expected)), 1e-13);
    const at::Tensor c = at::rand({3}, at::kDouble);
    EXPECT_LT(difference(term->weighted_sum(c), weighted_sum_of(expected, c)), 1e-13);
  }
}

TEST(SumTerm, DropsExamplesFromEveryUse) {
  at::manual_seed(4);
  Tied tied;
  tied.looked_up[1].fill_(NAN);
  tied.hidden[1].fill_(INFINITY);
  const TermPtr term = tied.both(at::kDouble, false);
  term->keep_only(at::tensor({1L, 0L, 1L}).to(at::kBool));
  EXPECT_EQ(term->squared_norms()[1].item<double>(), 0);
  EXPECT_TRUE(term->weighted_sum(at::ones({3}, at::kDouble)).isfinite().all().item<bool>());
}

TEST(SumTerm, NeverMakesANormTooShortWhereUsesCancel) {
  at::manual_seed(5);
  for (int trial = 0; trial < 20; ++trial) {
    Tied tied;
    tied.logits = at::zeros({3, 1, 6, 20}, at::kDouble).scatter_(3, tied.index.view({3, 1, 6, 1}), 1.0);  // the head undoes the embedding
    tied.hidden = -tied.looked_up.unsqueeze(1) * (1 + 1e-4 * at::randn({3, 1, 6, 4}, at::kDouble));
    const at::Tensor exact = (tied.embedding(at::kDouble)->per_example() + tied.head(at::kDouble)->per_example()).flatten(1).norm(2, 1);
    const at::Tensor got = tied.both(at::kFloat, false)->squared_norms().sqrt();
    EXPECT_TRUE((got.to(at::kDouble) >= exact).all().item<bool>()) << got << exact;
  }
}

TEST(SumTerm, JoinsUsesOfOneKindAndFormsTheGradientsOfWhatDoesNotPair) {
  at::manual_seed(6);
  const Tied tied, more;
  std::vector<TermPtr> terms;
  terms.push_back(tied.embedding(at::kDouble));
  terms.push_back(tied.head(at::kDouble));
  terms.push_back(more.embedding(at::kDouble));
  terms.push_back(more.head(at::kDouble));
  terms.push_back(std::make_unique<DenseTerm>(at::randn({3, 20, 4}, at::kDouble), Shape{20, 4}));
  at::Tensor expected = at::zeros({3, 20, 4}, at::kDouble);
  for (const TermPtr& term : terms) expected += term->per_example();
  const TermPtr sum = added_up(std::move(terms));
  EXPECT_FALSE(sum->has_gram()) << "a dense term has none";
  EXPECT_LT(difference(sum->squared_norms(), squares_per_example(expected)), 1e-13);
  EXPECT_EQ(sum->cost().positions, 6 + 5 + 6 + 5 + 1);
}

TEST(SumTerm, IsTheTermItselfWhereThereIsOneKind) {
  const Tied tied;
  std::vector<TermPtr> terms;
  terms.push_back(tied.head(at::kDouble));
  terms.push_back(tied.head(at::kDouble));
  EXPECT_NE(dynamic_cast<const LinearTerm*>(added_up(std::move(terms)).get()), nullptr);
}

}  // namespace
}  // namespace ghostgrad::rules
