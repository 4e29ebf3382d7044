// SPDX-License-Identifier: Apache-2.0
// What the engine promises, and what it says about how it knows.
#include "setup.h"
#include <algorithm>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/clip/method.h"

namespace ghostgrad::engine::tests {
namespace {

namespace nn = torch::nn;
using at::Tensor;
using privacy::Independence;

class Statement : public testing::Test {
 protected:
  void SetUp() override {
    torch::manual_seed(7);
    nn::Linear layer(10, 5);
    setup_ = classifier({layer.ptr()}, {}, {at::randn({6, 10}, at::kDouble), at::randint(5, {6}, at::kLong)},
                        [=](const Tensor& x) mutable { return layer->forward(x); });
    other_ = [layer](const Batch& b) mutable { return layer->forward(b[0].tanh()).square().sum(1); };
  }
  Engine engine(const std::function<void(PlanOptions&)>& change = {}, random::Key key = random::Key::for_tests(1)) {
    return {setup_.parameters, noiseless([&](PlanOptions& options) {
              options.noise_multiplier = 1.0;
              options.sample_rate = 0.01;
              if (change) change(options);
            }),
            std::move(key)};
  }
  Tensor losses() { return setup_.losses(setup_.batch); }
  Tensor other_losses() { return other_(setup_.batch); }
  static Independence independence(const Engine& engine) {
    EXPECT_EQ(engine.report().independence, engine.statement(1e-5).independence);
    return engine.statement(1e-5).independence;
  }

  Situation setup_;
  LossFunction other_;
};

TEST_F(Statement, SaysNotAuditedUntilTheCheckHasPassed) {
  Engine engine = this->engine();
  EXPECT_EQ(independence(engine), Independence::not_audited);
  engine.backward(losses());
  EXPECT_EQ(independence(engine), Independence::not_audited);
  ASSERT_EQ(engine.report().warnings.size(), 1u);
  EXPECT_NE(engine.report().warnings[0].find("check_independence"), std::string::npos);
}

TEST_F(Statement, SaysWhatNoNormBoundsWhereASecondBackwardIsRun) {
  for (const clip::Method& method : clip::methods()) {
    if (method.norm == clip::NormRoute::none) continue;
    const Engine engine = this->engine([&](PlanOptions& options) { options.method = method.name; });
    const auto warnings = engine.statement(1e-5).warnings;
    const bool warned = std::any_of(warnings.begin(), warnings.end(), [&](const std::string& warning) {
      return warning.starts_with("method " + method.name) && warning.find("second backward") != std::string::npos;
    });
    EXPECT_EQ(warned, method.sum == clip::SumRoute::second_backward) << method.name;
  }
}

TEST_F(Statement, SaysAuditedWhereEveryBatchWasOfACheckedGraph) {
  Engine engine = this->engine();
  engine.check_independence(setup_.losses, setup_.batch);
  engine.backward(losses());
  engine.backward(setup_.losses({setup_.batch[0].narrow(0, 0, 1), setup_.batch[1].narrow(0, 0, 1)}));  // a physical batch of one
  engine.release();
  EXPECT_EQ(independence(engine), Independence::audited);
  EXPECT_TRUE(engine.report().warnings.empty());
}

TEST_F(Statement, SaysNotAuditedForAGraphOtherThanTheCheckedOne) {
  Engine engine = this->engine();
  engine.check_independence(setup_.losses, setup_.batch);
  engine.backward(other_losses());
  EXPECT_EQ(independence(engine), Independence::not_audited);
}

TEST_F(Statement, DoesNotForgetABatchThatWasNotChecked) {
  Engine engine = this->engine();
  engine.backward(losses());
  engine.release();
  engine.check_independence(setup_.losses, setup_.batch);
  engine.backward(losses());
  EXPECT_EQ(independence(engine), Independence::not_audited);
}

TEST_F(Statement, SaysAssumedWhereTheUserVouches) {
  Engine engine = this->engine([](PlanOptions& options) { options.independence = "assumed"; });
  engine.backward(losses());
  EXPECT_EQ(independence(engine), Independence::assumed);
  EXPECT_TRUE(engine.report().warnings.empty());
}

TEST_F(Statement, SaysAuditedAlsoWhereTheUserVouchesAndTheCheckPassed) {
  Engine engine = this->engine([](PlanOptions& options) { options.independence = "assumed"; });
  engine.check_independence(setup_.losses, setup_.batch);
  engine.backward(losses());
  EXPECT_EQ(independence(engine), Independence::audited);
}

TEST_F(Statement, ShowsATestKey) {
  Engine tainted = engine(), real = engine({}, random::Key::from_os());
  tainted.release();
  clear_gradients(setup_.parameters);
  real.release();
  EXPECT_FALSE(tainted.report().noise_is_private);
  EXPECT_FALSE(promises_privacy(tainted.statement(1e-5)));
  EXPECT_EQ(to_text(tainted.statement(1e-5)).rfind("NOT PRIVATE", 0), 0u) << to_text(tainted.statement(1e-5));
  EXPECT_TRUE(real.report().noise_is_private);
  EXPECT_TRUE(promises_privacy(real.statement(1e-5)));
}

TEST_F(Statement, IsInfiniteWithoutNoise) {
  Engine engine = this->engine([](PlanOptions& options) { options.noise_multiplier = 0; }, random::Key::from_os());
  engine.backward(losses());
  engine.release();
  EXPECT_TRUE(std::isinf(engine.epsilon(1e-5)));
  EXPECT_FALSE(promises_privacy(engine.statement(1e-5)));
}

TEST_F(Statement, AsksForTheSampleRate) {
  Engine engine = this->engine([](PlanOptions& options) { options.sample_rate = std::nullopt; });
  engine.backward(losses());
  engine.release();
  try {
    (void)engine.epsilon(1e-5);
    FAIL() << "answered";
  } catch (const base::InvalidArgument& error) {
    EXPECT_EQ(error.complaint().where, "sample_rate");
    EXPECT_NE(error.complaint().remedy.find("sample_rate"), std::string::npos);
  }
}

TEST_F(Statement, CountsOneEventPerReleaseWhateverWasInIt) {
  Engine few = engine(), many = engine();
  for (int step = 0; step < 3; ++step) {
    few.release();
    clear_gradients(setup_.parameters);
    for (int batch = 0; batch < 4; ++batch) many.backward(losses());
    many.discard();
    many.backward(losses());
    many.release();
    clear_gradients(setup_.parameters);
  }
  EXPECT_EQ(few.epsilon(1e-5), many.epsilon(1e-5));
  EXPECT_EQ(many.statement(1e-5).steps, 3);
}

TEST_F(Statement, ReadsNoPerformanceOption) {
  const auto with_bytes = [](int64_t bytes) {
    return [bytes](PlanOptions& options) {
      options.method = "auto";
      options.performance.keep_bytes = bytes;
    };
  };
  const Engine usual = engine();
  for (int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{1} << 20, int64_t{1} << 40}) {
    Engine other = engine(with_bytes(bytes));
    EXPECT_TRUE(other.plan().event() == usual.plan().event()) << bytes;
    other.backward(losses());
    other.release();
    clear_gradients(setup_.parameters);
    EXPECT_EQ(to_text(other.plan().event()), to_text(usual.plan().event())) << bytes;
  }
  const Engine louder = engine([](PlanOptions& options) { options.noise_multiplier = 1.5; });
  EXPECT_FALSE(louder.plan().event() == usual.plan().event());  // the comparison can fail
}

TEST_F(Statement, OfANonPrivateRunPromisesNothing) {
  Engine engine = this->engine(
      [](PlanOptions& options) {
        options.method = "non_private";
        options.noise_multiplier = 0;
      },
      random::Key::from_os());
  engine.backward(losses());
  engine.release();
  EXPECT_TRUE(std::isinf(engine.epsilon(1e-5)));
  EXPECT_THROW(this->engine([](PlanOptions& options) { options.method = "non_private"; }), base::InvalidArgument);
}

}  // namespace
}  // namespace ghostgrad::engine::tests
