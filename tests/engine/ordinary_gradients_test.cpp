// SPDX-License-Identifier: Apache-2.0
// .grad belongs to the release: a gradient that was not clipped must not reach the optimizer unseen.
#include "setup.h"

#include <gtest/gtest.h>
#include <torch/optim/sgd.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/engine/optimizer.h"

namespace ghostgrad::engine::tests {
namespace {

namespace nn = torch::nn;
using at::Tensor;

class OrdinaryGradients : public testing::Test {
 protected:
  void SetUp() override {
    torch::manual_seed(6);
    nn::Linear layer(10, 5);
    setup_ = classifier({layer.ptr()}, {}, {at::randn({6, 10}, at::kDouble), at::randint(5, {6}, at::kLong)},
                        [=](const Tensor& x) mutable { return layer->forward(x); });
  }
  Tensor losses() { return setup_.losses(setup_.batch); }
  Engine engine() { return {setup_.parameters, noiseless(), random::Key::for_tests(1)}; }
  void ordinary_backward() { losses().sum().backward(); }
  std::vector<Tensor> leaves() {
    std::vector<Tensor> leaves;
    for (const auto& [name, parameter] : setup_.parameters) leaves.push_back(parameter);
    return leaves;
  }

  Situation setup_;
};

TEST_F(OrdinaryGradients, AreRefusedByBackwardAndByRelease) {
  Engine engine = this->engine();
  engine.backward(losses());
  ordinary_backward();
  EXPECT_THROW(engine.backward(losses()), base::PrivacyError);
  EXPECT_THROW(engine.release(), base::PrivacyError);
  clear_gradients(setup_.parameters);
  engine.release();
  EXPECT_EQ(engine.steps(), 1);
}

TEST_F(OrdinaryGradients, NameTheParameter) {
  Engine engine = this->engine();
  setup_.parameters[1].second.mutable_grad() = at::ones({5}, at::kDouble);
  try {
    engine.backward(losses());
    FAIL() << "accepted";
  } catch (const base::PrivacyError& error) {
    EXPECT_EQ(error.complaint().where, "p1");
    EXPECT_NE(error.complaint().remedy.find("zero_grad"), std::string::npos);
  }
}

TEST_F(OrdinaryGradients, AreRefusedWhereTheyWereAddedToAReleasedGradient) {
  Engine engine = this->engine();
  engine.backward(losses());
  engine.release();
  ordinary_backward();  // adds to .grad in place
  EXPECT_THROW(engine.backward(losses()), base::PrivacyError);
}

TEST_F(OrdinaryGradients, AreNotTakenForWhatAReleaseWrote) {
  Engine engine = this->engine();
  for (int step = 0; step < 3; ++step)
    EXPECT_LT(error_of(engine, losses(), setup_.parameters), 1e-12) << step;  // .grad stays set in between
}

TEST_F(OrdinaryGradients, AreNotTakenForClearedOnes) {
  Engine engine = this->engine();
  torch::optim::SGD optimizer(leaves(), 0.1);
  for (bool set_to_none : {false, true}) {
    engine.backward(losses());
    engine.step(optimizer);
    optimizer.zero_grad(set_to_none);
  }
  EXPECT_LT(error_of(engine, losses(), setup_.parameters), 1e-12);
}

TEST_F(OrdinaryGradients, AreNotTakenForWhatAnOptimizerDoes) {
  for (const OptimizerRow& row : optimizers()) {
    Engine engine = this->engine();
    clear_gradients(setup_.parameters);
    const auto optimizer = make_optimizer({.name = std::string(row.name)}, leaves());
    for (int step = 0; step < 3; ++step) {
      engine.backward(losses());
      EXPECT_NO_THROW(engine.step(*optimizer)) << row.name;
    }
  }
}

TEST_F(OrdinaryGradients, AreNeverWrittenByTheEngineItself) {
  Engine engine = this->engine();
  engine.backward(losses());
  for (const Tensor& leaf : leaves()) EXPECT_FALSE(leaf.grad().defined());
}

}  // namespace
}  // namespace ghostgrad::engine::tests
