// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/unreduce.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::graph {
namespace {

using Losses = std::function<at::Tensor(const at::Tensor& scores, int64_t reduction)>;

const auto none = at::Reduction::None, mean = at::Reduction::Mean, sum = at::Reduction::Sum;

class Unreduce : public ::testing::Test {
 protected:
  Unreduce() {
    torch::manual_seed(1);
    weight_ = torch::randn({3, 4}, at::kDouble).requires_grad_();
    inputs_ = torch::randn({5, 3}, at::kDouble);
    values_ = torch::rand({5, 4}, at::kDouble);
    classes_ = torch::arange(5, at::kLong).remainder(4);
  }

  [[nodiscard]] at::Tensor scores() const { return inputs_.mm(weight_); }

  /// The gradient of example i alone, from losses [B].
  [[nodiscard]] at::Tensor gradient(const at::Tensor& losses, int64_t i) const {
    return torch::autograd::grad({losses[i]}, {weight_}, {}, /*retain_graph=*/true)[0];
  }

  /// The scalar's parts are the losses that the same op gives without reduction, averaged or added up within each example.
  void expect_parts(const Losses& op, int64_t reduction) const {
    const at::Tensor out = scores();
    at::Tensor expected = op(out, none);
    if (expected.dim() > 1) expected = reduction == mean ? expected.flatten(1).mean(1) : expected.flatten(1).sum(1);
    const at::Tensor found = unreduced(op(out, reduction), {weight_});
    ASSERT_EQ(found.sizes(), expected.sizes());
    EXPECT_TRUE(at::allclose(found, expected, 0, 1e-14));
    for (int64_t i = 0; i < 5; ++i) EXPECT_TRUE(at::allclose(gradient(found, i), gradient(expected, i), 0, 1e-14));
  }

  void expect_refused(const at::Tensor& scalar, const std::string& said) const {
    try {
      (void)unreduced(scalar, {weight_});
      FAIL() << "taken apart: " << said;
    } catch (const base::InvalidArgument& error) {
      EXPECT_NE(std::string(error.what()).find(said), std::string::npos) << error.what();
    }
  }

  at::Tensor weight_, inputs_, values_, classes_;
};

TEST_F(Unreduce, CrossEntropyIsTakenApart) {
  for (int64_t reduction : {mean, sum}) {
    expect_parts([&](const at::Tensor& out, int64_t r) { return at::cross_entropy_loss(out, classes_, {}, r); }, reduction);
  }
}

TEST_F(Unreduce, CrossEntropyOfImagesIsTakenApart) {
  const at::Tensor pixels = torch::arange(10, at::kLong).remainder(2).view({5, 1, 2});
  for (int64_t reduction : {mean, sum}) {
    expect_parts(
        [&](const at::Tensor& out, int64_t r) {
          return at::cross_entropy_loss(out.view({5, 2, 1, 2}), pixels, {}, r);
        },
        reduction);
  }
}

TEST_F(Unreduce, SquaredErrorIsTakenApart) {
  for (int64_t reduction : {mean, sum}) {
    expect_parts([&](const at::Tensor& out, int64_t r) { return at::mse_loss(out, values_, r); }, reduction);
    expect_parts([&](const at::Tensor& out, int64_t r) { return at::mse_loss(out, out.tanh(), r); }, reduction);
  }
}

TEST_F(Unreduce, BinaryCrossEntropyIsTakenApart) {
  for (int64_t reduction : {mean, sum}) {
    expect_parts([&](const at::Tensor& out, int64_t r) { return at::binary_cross_entropy(out.sigmoid(), values_, {}, r); }, reduction);
    expect_parts([&](const at::Tensor& out, int64_t r) { return at::binary_cross_entropy_with_logits(out, values_, {}, {}, r); },
                 reduction);
  }
}

TEST_F(Unreduce, MeanAndSumKeepTheirGraphAndForgetTheirValues) {
  const at::Tensor losses = scores().square().sum(1);
  for (const at::Tensor& scalar : {losses.mean(), losses.sum(), losses.mean(0), losses.sum(0)}) {
    const at::Tensor found = unreduced(scalar, {weight_});
    ASSERT_EQ(found.sizes(), losses.sizes());
    for (int64_t i = 0; i < 5; ++i) EXPECT_TRUE(at::equal(gradient(found, i), gradient(losses, i)));
  }
}

TEST_F(Unreduce, LossesThatAreNoScalarComeBackAsTheyAre) {
  const at::Tensor losses = scores().sum(1);
  EXPECT_TRUE(unreduced(losses, {weight_}).is_same(losses));
}

TEST_F(Unreduce, WhatIsNormalisedByTheDataOfTheBatchIsRefused) {
  expect_refused(at::cross_entropy_loss(scores(), classes_, torch::ones({4}, at::kDouble), mean), "class weights");
  at::Tensor some = classes_.clone();
  some[0] = -100;
  expect_refused(at::cross_entropy_loss(scores(), some, {}, mean), "not ignored");
  expect_refused(scores().sum(1).sum() / 5, "DivBackward");
  expect_refused(scores().mean(), "[5, 4]");
}

TEST_F(Unreduce, RowsThatWereExamplesAndPositionsAreRefused) {
  const at::Tensor rows = scores().view({5, 2, 2}).view({10, 2}), targets = torch::arange(10, at::kLong).remainder(2);
  expect_refused(at::cross_entropy_loss(rows, targets), "reshaped from [5, 2, 2]");
  expect_refused(at::cross_entropy_loss(rows, targets, {}, none).mean(), "reshaped from [5, 2, 2]");
  expect_refused(at::mse_loss(scores().view({20}), values_.view({20})), "reshaped from [5, 4]");
  const at::Tensor mixer = torch::randn({4, 2}, at::kDouble);
  const at::Tensor far_above = (inputs_.mm(weight_).view({5, 1, 4}) * torch::ones({2, 1}, at::kDouble)).reshape({10, 4}).mm(mixer).tanh();
  expect_refused(at::cross_entropy_loss(far_above, targets), "reshaped from [5, 2, 4]");
}

TEST_F(Unreduce, RowsOfWhichEachIsAnExampleAreTakenApartWhateverElseIsReshaped) {
  const at::Tensor heads = scores().view({5, 2, 2}).transpose(0, 1).reshape({10, 2}).view({2, 5, 2}).sum(0);
  EXPECT_EQ(unreduced(at::cross_entropy_loss(heads, classes_.remainder(2)), {weight_}).size(0), 5);
}

TEST_F(Unreduce, RowsThatTheLossTakesFromAnotherAxisThanTheFirstAreRefused) {
  const at::Tensor one = torch::randn({1, 6, 3}, at::kDouble).matmul(weight_), targets = torch::arange(6, at::kLong).remainder(4);
  expect_refused(at::cross_entropy_loss(one.view({-1, 4}), targets), "ViewBackward0");
  expect_refused(at::cross_entropy_loss(one.squeeze(0), targets), "SqueezeBackward1");
  expect_refused(at::cross_entropy_loss(one[0], targets), "SelectBackward0");
  const at::Tensor two = torch::randn({2, 6, 3}, at::kDouble).matmul(weight_);
  expect_refused(at::cross_entropy_loss(two.transpose(0, 1).transpose(1, 2), targets.unsqueeze(1).expand({6, 2})), "TransposeBackward0");
  const at::Tensor picked = torch::arange(12, at::kLong).remainder(12).lt(2).logical_or_(torch::arange(12, at::kLong).gt(7)).view({2, 6});
  expect_refused(at::cross_entropy_loss(two.index({picked}), targets), "IndexBackward0");  // no position is picked in both examples
  expect_refused(at::cross_entropy_loss(at::cat({scores(), scores()}), at::cat({classes_, classes_})), "CatBackward0");
}

TEST_F(Unreduce, RowsThatStayWhereTheyAreAreTakenApart) {
  const at::Tensor tokens = torch::randn({5, 6, 3}, at::kDouble).matmul(weight_),
                   targets = torch::arange(30, at::kLong).remainder(4).view({5, 6});
  EXPECT_EQ(unreduced(at::cross_entropy_loss(tokens.permute({0, 2, 1}), targets), {weight_}).size(0), 5);
  EXPECT_EQ(unreduced(at::cross_entropy_loss(tokens.transpose(1, 2).slice(2, 0, 5), targets.slice(1, 1)), {weight_}).size(0), 5);
  EXPECT_EQ(unreduced(at::mse_loss(scores().slice(1, 0, 1).squeeze(1), values_.select(1, 0)), {weight_}).size(0), 5);
  const at::Tensor last = tokens.index({torch::arange(5, at::kLong), torch::tensor({1, 5, 0, 2, 2}, at::kLong)});
  EXPECT_EQ(unreduced(at::cross_entropy_loss(last, classes_), {weight_}).size(0), 5);
  const at::Tensor hidden = torch::randn({1, 5, 3}, at::kDouble).matmul(weight_).squeeze(0);  // the last state of a recurrent layer
  EXPECT_EQ(unreduced(at::cross_entropy_loss(hidden.mm(weight_.t()), classes_.remainder(3)), {weight_}).size(0), 5);
}

TEST_F(Unreduce, InputsAndTargetsThatWereBroadcastAgainstEachOtherAreRefused) {
  const at::Tensor column = scores().sum(1, /*keepdim=*/true), targets = values_.select(1, 0);
  for (int64_t reduction : {mean, sum}) {
    expect_refused(at::mse_loss(column, targets, reduction), "[5, 5]");  // as C++ calls it
    const auto both = at::broadcast_tensors({column, targets});          // as Python calls it
    expect_refused(at::mse_loss(both[0], both[1], reduction), "[5, 5]");
    expect_refused(at::binary_cross_entropy_with_logits(both[0], both[1], {}, {}, reduction), "[5, 5]");
  }
}

}  // namespace
}  // namespace ghostgrad::graph
