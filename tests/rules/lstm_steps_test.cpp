// SPDX-License-Identifier: Apache-2.0
// The recurrence of an LSTM in loops of its own against the one of ATen's operations.
#include "ghostgrad/rules/lstm_steps.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "ghostgrad/rules/common_factor.h"
#include "ghostgrad/rules/linear_term.h"
#include "ghostgrad/rules/product.h"

namespace ghostgrad::rules {
namespace {

using at::Tensor;

struct Sizes {
  int64_t steps, sequences, inputs, units;
};

/// A layer whose states are those that its inputs give.
RecurrentLayer layer_of(const Sizes& sizes, at::ScalarType dtype, bool biased = true) {
  const auto random = [&](at::IntArrayRef shape) { return at::randn(shape, at::kDouble).mul_(0.5).to(dtype); };
  RecurrentLayer layer;
  layer.cell = Cell::lstm;
  layer.inputs = random({sizes.steps, sizes.sequences, sizes.inputs});
  layer.first_state = random({sizes.sequences, sizes.units});
  layer.first_cell = random({sizes.sequences, sizes.units});
  layer.input_weight = random({4 * sizes.units, sizes.inputs});
  layer.state_weight = random({4 * sizes.units, sizes.units});
  if (biased) {
    layer.input_bias = random({4 * sizes.units});
    layer.state_bias = random({4 * sizes.units});
  }
  std::vector<Tensor> weights{layer.input_weight, layer.state_weight};
  if (biased) weights.insert(weights.end(), {layer.input_bias, layer.state_bias});
  layer.states =
      std::get<0>(at::lstm(layer.inputs, {layer.first_state.unsqueeze(0), layer.first_cell.unsqueeze(0)}, weights, biased, 1, 0.0,
                           /*train=*/false, /*bidirectional=*/false, /*batch_first=*/false));
  return layer;
}

RecurrentGrads grads_of(const RecurrentLayer& layer, bool outputs, bool last) {
  RecurrentGrads grads;
  if (outputs) grads.outputs = at::randn_like(layer.states);
  if (last) {
    grads.last_state = at::randn_like(layer.first_state);
    grads.last_cell = at::randn_like(layer.first_cell);
  }
  return grads;
}

void expect_same(const RecurrentLayer& layer, const RecurrentGrads& grads, double tolerance) {
  ASSERT_TRUE(has_lstm_steps(layer));
  const RecurrentMaps quick = maps_by_lstm_steps(layer, grads), right = maps_by_tensors(layer, grads);
  const double size = std::max(1e-30, right.input_sums.norm().item<double>());
  EXPECT_LE((quick.input_sums - right.input_sums).norm().item<double>(), tolerance * size);
  EXPECT_LE((quick.state_sums - right.state_sums).norm().item<double>(), tolerance * size);
  EXPECT_TRUE(at::equal(quick.states_before, right.states_before));
}

TEST(LstmSteps, GiveWhatTensorOperationsGive) {
  at::manual_seed(1);
  for (const Sizes& sizes : {Sizes{5, 3, 4, 7}, Sizes{1, 1, 1, 1}, Sizes{1, 4, 3, 5}, Sizes{9, 1, 2, 33}, Sizes{28, 16, 28, 64}}) {
    for (const bool biased : {true, false}) {
      for (const bool last : {true, false}) {
        const RecurrentLayer exact = layer_of(sizes, at::kDouble, biased);
        expect_same(exact, grads_of(exact, true, last), 1e-13);
        RecurrentLayer single = layer_of(sizes, at::kFloat, biased);
        expect_same(single, grads_of(single, true, last), 2e-6);
        single.product = onednn_product;
        expect_same(single, grads_of(single, true, last), 2e-6);
      }
    }
  }
}

TEST(LstmSteps, TakeGradientsOfTheLastStateAlone) {
  at::manual_seed(2);
  const RecurrentLayer layer = layer_of({6, 3, 4, 5}, at::kDouble);
  expect_same(layer, grads_of(layer, false, true), 1e-13);
  expect_same(layer, grads_of(layer, false, false), 0);
}

TEST(LstmSteps, TakeGradientsOfAnyLayout) {
  at::manual_seed(3);
  const RecurrentLayer layer = layer_of({6, 3, 4, 5}, at::kDouble);
  RecurrentGrads grads;
  grads.outputs = at::randn({3, 6, 5}, at::kDouble).transpose(0, 1);
  expect_same(layer, grads, 1e-13);
  grads.outputs = at::randn({6, 5, 3}, at::kDouble).transpose(1, 2);
  expect_same(layer, grads, 1e-13);
  grads.outputs = at::randn({1, 3, 5}, at::kDouble).expand({6, 3, 5});
  expect_same(layer, grads, 1e-13);
}

TEST(LstmSteps, KeepANanOfOneSequenceWithIt) {
  at::manual_seed(4);
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    RecurrentLayer layer = layer_of({6, 4, 3, 40}, dtype);
    const RecurrentGrads grads = grads_of(layer, true, true);
    const Tensor before = maps_by_lstm_steps(layer, grads).input_sums;
    layer.inputs = layer.inputs.clone();
    layer.inputs.select(1, 2).fill_(std::numeric_limits<double>::quiet_NaN());
    const Tensor after = maps_by_lstm_steps(layer, grads).input_sums;
    for (const int64_t n : {0, 1, 3}) EXPECT_TRUE(at::equal(after.select(1, n), before.select(1, n))) << n;
    EXPECT_TRUE(after.select(1, 2).isnan().any().item<bool>());
  }
}

TEST(LstmSteps, AreNotForProjectionsPackedSequencesOrOtherTypes) {
  RecurrentLayer layer = layer_of({3, 2, 2, 2}, at::kFloat);
  EXPECT_TRUE(has_lstm_steps(layer));
  layer.active = {2, 2, 1};
  EXPECT_FALSE(has_lstm_steps(layer));
  layer.active.clear();
  layer.projection = at::ones({1, 2});
  EXPECT_FALSE(has_lstm_steps(layer));
  layer.projection.reset();
  layer.cell = Cell::gru;
  EXPECT_FALSE(has_lstm_steps(layer));
}

TEST(QuickTanh, IsExactToAFewUnits) {
  for (int k = -2'000'000; k <= 2'000'000; ++k) {
    const float x = static_cast<float>(k) * 6e-6F;
    const double exact = std::tanh(static_cast<double>(x));
    ASSERT_LE(std::abs(quick_tanh(x) - exact), 4 * 0x1p-24 * std::abs(exact) + 1e-44) << x;
  }
  for (const float tiny : {1e-7F, 1e-20F, 1e-30F}) EXPECT_EQ(quick_tanh(tiny), tiny);
  EXPECT_EQ(quick_tanh(0), 0);
  EXPECT_EQ(quick_tanh(std::numeric_limits<float>::infinity()), 1);
  EXPECT_EQ(quick_tanh(-std::numeric_limits<float>::infinity()), -1);
  EXPECT_TRUE(std::isnan(quick_tanh(std::numeric_limits<float>::quiet_NaN())));
}

TEST(OnednnProduct, IsTheProduct) {
  at::manual_seed(5);
  for (const auto& [m, k, n] : {std::tuple<int64_t, int64_t, int64_t>{3, 4, 5}, {200, 64, 40}, {1, 300, 300}, {129, 77, 33}}) {
    const Tensor a = at::randn({m, k}), b = at::randn({k, n}), right = a.to(at::kDouble).mm(b.to(at::kDouble));
    for (const Tensor& left : {a, a.t().contiguous().t()}) {
      EXPECT_LT((onednn_product(left, b) - right).norm().item<double>(), 1e-5 * right.norm().item<double>());
      EXPECT_LT((onednn_product(left, b.t().contiguous().t()) - right).norm().item<double>(), 1e-5 * right.norm().item<double>());
    }
    EXPECT_LT((onednn_product(a.to(at::kDouble), b.to(at::kDouble)) - right).norm().item<double>(), 1e-14 * right.norm().item<double>());
  }
}

TEST(CommonFactor, GivesEachTermTheNormsOfItsOwn) {
  at::manual_seed(6);
  const Tensor left = at::randn({4, 1, 6, 5}, at::kDouble), one = at::randn({4, 1, 6, 3}, at::kDouble),
               two = at::randn({4, 1, 6, 2}, at::kDouble);
  auto common = std::make_shared<CommonFactor>(left, plain_product);
  LinearTerm first(common, one, Shape{5, 3}), second(common, two, Shape{5, 2});
  common.reset();
  const LinearTerm first_alone(left, one, Shape{5, 3}), second_alone(left, two, Shape{5, 2});
  const Tensor c = at::rand({4}, at::kDouble);
  for (int time = 0; time < 3; ++time) {
    EXPECT_TRUE(at::allclose(first.squared_norms(), first_alone.squared_norms(), 1e-13));
    EXPECT_TRUE(at::allclose(second.squared_norms(), second_alone.squared_norms(), 1e-13));
    EXPECT_TRUE(at::allclose(first.weighted_sum(c), first_alone.weighted_sum(c), 1e-13));
  }
  const Tensor valid = at::tensor({1L, 0L, 1L, 1L}).to(at::kBool);
  first.keep_only(valid);
  EXPECT_EQ(first.squared_norms()[1].item<double>(), 0);
  EXPECT_TRUE(at::allclose(second.squared_norms(), second_alone.squared_norms(), 1e-13)) << "the other term has its examples still";
}

}  // namespace
}  // namespace ghostgrad::rules
