// SPDX-License-Identifier: Apache-2.0
// Every counterexample is told apart, by the graph and by the independence check, and what is accepted is exact.
#include "counterexamples.h"

#include <optional>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::engine::tests {
namespace {

/// Replacements of the check in these tests: one round misses a coupling of two examples with probability 3/4 at most, all with 1e-5.
constexpr IndependenceOptions kThorough{.rounds = 40, .drop = true};

std::vector<Counterexample> all() {
  auto all = layer_counterexamples();
  for (auto& more : batch_counterexamples()) all.push_back(std::move(more));
  return all;
}

Engine engine_of(const Situation& setup, const std::string& independence) {
  return {setup.parameters, noiseless([&](PlanOptions& options) { options.independence = independence; }), random::Key::for_tests(1)};
}

/// What backward throws, if it does.
std::optional<base::Complaint> complaint_of(Engine& engine, const Situation& setup) {
  try {
    engine.backward(setup.losses(setup.batch));
  } catch (const base::PrivacyError& error) {
    return error.complaint();
  }
  return std::nullopt;
}

class Counterexamples : public testing::TestWithParam<Counterexample> {
 protected:
  void SetUp() override {
    torch::manual_seed(3);
    setup_ = GetParam().make();
  }
  Situation setup_;
};

TEST_P(Counterexamples, AreToldApartByTheGraph) {
  Engine strict = engine_of(setup_, "graph"), vouched_for = engine_of(setup_, "assumed");
  const auto complaint = complaint_of(strict, setup_);
  EXPECT_EQ(complaint.has_value(), GetParam().graph != Verdict::accepted) << (complaint ? base::to_string(*complaint) : "");
  EXPECT_EQ(complaint_of(vouched_for, setup_).has_value(), GetParam().graph == Verdict::refused);
}

TEST_P(Counterexamples, AreNamedWithTheirShapeAndARemedy) {
  Engine engine = engine_of(setup_, "graph");
  const auto complaint = complaint_of(engine, setup_);
  if (!complaint) return;
  EXPECT_NE(complaint->wrong.find(GetParam().op), std::string::npos) << base::to_string(*complaint);
  EXPECT_FALSE(complaint->remedy.empty());
  const bool asks_for_the_check = complaint->remedy.find("check_independence") != std::string::npos;
  EXPECT_EQ(asks_for_the_check, GetParam().graph == Verdict::unproved) << base::to_string(*complaint);
}

TEST_P(Counterexamples, AreJudgedByTheIndependenceCheck) {
  Engine engine = engine_of(setup_, "graph");
  bool passed = true;
  std::string why;
  try {
    engine.check_independence(setup_.losses, setup_.batch, kThorough);
    engine.backward(setup_.losses(setup_.batch));
  } catch (const base::PrivacyError& error) {
    passed = false;
    why = error.what();
  }
  EXPECT_EQ(passed, GetParam().finally == Verdict::accepted) << why;
}

TEST_P(Counterexamples, AreExactWhereTheyAreAccepted) {
  if (GetParam().finally != Verdict::accepted) return;
  for (const char* method : {"auto", "bk", "bk_mixed_opt", "reweight", "multi_loss"}) {
    Engine engine(setup_.parameters, noiseless([&](PlanOptions& options) {
                    options.independence = "assumed";
                    options.method = method;
                  }),
                  random::Key::for_tests(1));
    EXPECT_LT(error_of(engine, setup_.losses(setup_.batch), setup_.parameters), 1e-11) << method;
    clear_gradients(setup_.parameters);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Counterexamples, testing::ValuesIn(all()), [](const auto& each) { return each.param.name; });

TEST(ComplexParameters, AreRefusedWithARemedy) {
  const at::Tensor weight = at::randn({3, 3}, at::kComplexDouble).requires_grad_();
  try {
    const Engine engine(NamedParameters{{"weight", weight}}, noiseless());
    FAIL() << "accepted";
  } catch (const base::Unsupported& error) {
    EXPECT_NE(std::string(error.what()).find("two parameters"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace ghostgrad::engine::tests
