// SPDX-License-Identifier: Apache-2.0
// What belongs to one logical batch and what must not enter it.
#include "setup.h"

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::engine::tests {
namespace {

namespace nn = torch::nn;
using at::Tensor;

class LogicalBatch : public testing::Test {
 protected:
  void SetUp() override {
    torch::manual_seed(5);
    nn::Linear first(10, 8), second(8, 5);
    first_ = first;
    setup_ = classifier({first.ptr(), second.ptr()}, {}, batch(),
                        [=](const Tensor& x) mutable { return second->forward(first->forward(x).tanh()); });
  }

  static Batch batch() { return {at::randn({6, 10}, at::kDouble), at::randint(5, {6}, at::kLong)}; }
  Tensor losses() { return setup_.losses(setup_.batch); }
  Engine engine(const std::function<void(PlanOptions&)>& change = {}) {
    return {setup_.parameters, noiseless(change), random::Key::for_tests(1)};
  }
  /// The error of the released gradients against the clipped sum of these losses, and of nothing else.
  double released_error(Engine& engine, const Tensor& losses) {
    const Expected expected = expected_of(losses, setup_.parameters, *engine.plan().options().clip);
    engine.release();
    return relative_error(gradients(setup_.parameters), expected.sums);
  }

  nn::Linear first_{nullptr};
  Situation setup_;
};

TEST_F(LogicalBatch, IsTheSumOfItsPhysicalBatches) {
  Engine engine = this->engine();
  const Tensor all = losses();
  const Batch head{setup_.batch[0].narrow(0, 0, 4), setup_.batch[1].narrow(0, 0, 4)},
      tail{setup_.batch[0].narrow(0, 4, 2), setup_.batch[1].narrow(0, 4, 2)};
  engine.backward(setup_.losses(head));
  engine.backward(setup_.losses(tail));
  EXPECT_LT(released_error(engine, all), 1e-12);
}

TEST_F(LogicalBatch, StartsEmptyAfterEachRelease) {
  Engine engine = this->engine();
  engine.backward(losses());
  engine.release();
  engine.backward(losses());
  EXPECT_LT(released_error(engine, losses()), 1e-12);
}

TEST_F(LogicalBatch, OfNoExamplesReleasesNoiseAndIsPaidFor) {
  Engine engine = this->engine([](PlanOptions& options) {
    options.noise_multiplier = 1.0;
    options.sample_rate = 0.01;
  });
  const double before = engine.epsilon(1e-5);
  engine.release();
  for (const Tensor& grad : gradients(setup_.parameters)) EXPECT_TRUE(grad.ne(0).all().item<bool>());
  EXPECT_EQ(engine.steps(), 1);
  EXPECT_GT(engine.epsilon(1e-5), before);
}

TEST_F(LogicalBatch, IsDroppedByDiscard) {
  Engine engine = this->engine();
  engine.backward(losses());
  engine.discard();
  setup_.batch = batch();
  engine.backward(losses());
  EXPECT_LT(released_error(engine, losses()), 1e-12);
  engine.backward(losses());
  engine.discard();
  engine.release();
  for (const Tensor& grad : gradients(setup_.parameters)) EXPECT_TRUE(grad.eq(0).all().item<bool>());
}

TEST_F(LogicalBatch, LeftHalfWayByAnErrorIsRefusedUntilDiscarded) {
  Engine engine = this->engine();
  engine.backward(losses());
  EXPECT_THROW(engine.backward(losses().unsqueeze(1)), base::InvalidArgument);
  EXPECT_THROW(engine.backward(losses()), base::PrivacyError);
  EXPECT_THROW(engine.release(), base::PrivacyError);
  EXPECT_EQ(engine.steps(), 0);
  engine.discard();
  engine.backward(losses());
  EXPECT_LT(released_error(engine, losses()), 1e-12);
}

TEST_F(LogicalBatch, CountsAMaskedExampleAsAbsent) {
  Engine engine = this->engine();
  Tensor mask = at::ones({6}, at::kBool);
  mask[1] = false;
  mask[4] = false;
  engine.backward(losses(), mask);
  EXPECT_LT(released_error(engine, losses().index({mask})), 1e-12);
}

TEST_F(LogicalBatch, OfMaskedExamplesAloneIsEmpty) {
  Engine engine = this->engine();
  engine.backward(losses(), at::zeros({6}, at::kBool));
  engine.release();
  for (const Tensor& grad : gradients(setup_.parameters)) EXPECT_TRUE(grad.eq(0).all().item<bool>());
}

TEST_F(LogicalBatch, TakesOnlyLossesOfOneDimension) {
  const auto refused = [&](const Tensor& wrong, const char* shown) {
    Engine engine = this->engine();
    try {
      engine.backward(wrong);
      ADD_FAILURE() << "accepted " << shown;
    } catch (const base::InvalidArgument& error) {
      EXPECT_NE(error.complaint().got.find(shown), std::string::npos) << error.what();
      EXPECT_FALSE(error.complaint().remedy.empty());
    }
  };
  refused(losses().unsqueeze(1), "[6, 1]");
  refused(losses().mean().exp(), "a scalar made by ExpBackward0");
  refused(losses().narrow(0, 0, 0), "[0]");
  refused(losses().detach(), "without");
  refused(losses().to(at::kComplexDouble), "Complex");
  refused({}, "undefined");
}

TEST_F(LogicalBatch, TakesOnlyABooleanMaskOfItsShape) {
  for (const Tensor& wrong :
       {at::ones({6}, at::kDouble), at::ones({6, 1}, at::kBool), at::ones({1}, at::kBool), at::ones({5}, at::kBool)}) {
    Engine engine = this->engine();
    EXPECT_THROW(engine.backward(losses(), wrong), base::InvalidArgument);
  }
}

TEST_F(LogicalBatch, NoticesParametersUnfrozenLater) {
  first_->weight.requires_grad_(false);
  Engine engine = this->engine();
  const NamedParameters without{setup_.parameters.begin() + 1, setup_.parameters.end()};
  EXPECT_LT(error_of(engine, losses(), without), 1e-12);
  EXPECT_FALSE(first_->weight.grad().defined());
  first_->weight.requires_grad_(true);
  EXPECT_LT(error_of(engine, losses(), setup_.parameters), 1e-12);  // now part of the norms and of the release
}

TEST_F(LogicalBatch, RefusesParametersThatAreUnfrozenWithinIt) {
  first_->weight.requires_grad_(false);
  Engine engine = this->engine();
  engine.backward(losses());
  first_->weight.requires_grad_(true);
  EXPECT_THROW(engine.backward(losses()), base::PrivacyError);
  engine.release();  // of what was tracked when it began
  EXPECT_FALSE(first_->weight.grad().defined());
  EXPECT_LT(error_of(engine, losses(), setup_.parameters), 1e-12);
}

TEST_F(LogicalBatch, GivesParametersThatTheLossesDoNotReachNoiseAndSaysSo) {
  const Tensor unused = at::zeros({50}, at::kDouble).requires_grad_();
  setup_.parameters.emplace_back("unused", unused);
  Engine engine = this->engine([](PlanOptions& options) { options.noise_multiplier = 1.0; });
  engine.backward(losses());
  EXPECT_EQ(engine.report().unreached, std::vector<std::string>{"unused"});
  engine.release();
  EXPECT_TRUE(unused.grad().ne(0).all().item<bool>());
}

TEST_F(LogicalBatch, MakesTheRegulariserPartOfEachExamplesLoss) {
  Engine engine = this->engine([](PlanOptions& options) { options.clip = 0.5; });
  const Tensor regularised = losses() + 0.5 * first_->weight.square().sum();
  EXPECT_LT(error_of(engine, regularised, setup_.parameters), 1e-12);
  for (double norm : expected_of(regularised, setup_.parameters, 0.5).norms) EXPECT_GT(norm, 0.5);  // it is clipped, not added B times
}

TEST_F(LogicalBatch, NaiveNeedsAFunctionOfTheBatch) {
  Engine engine = this->engine([](PlanOptions& options) { options.method = "naive"; });
  EXPECT_THROW(engine.backward(losses()), base::InvalidArgument);
  engine.backward(setup_.losses, setup_.batch);
  EXPECT_LT(released_error(engine, losses()), 1e-12);
}

}  // namespace
}  // namespace ghostgrad::engine::tests
