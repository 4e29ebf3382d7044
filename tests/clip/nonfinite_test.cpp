// SPDX-License-Identifier: Apache-2.0
// NaN and Inf in one example, and masked examples: selected away, never multiplied by zero.
#include "measure.h"
#include <limits>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::tests {
namespace {

using at::Tensor;

constexpr int64_t kExamples = 5, kBad = 2;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

const std::vector<int64_t>& others() {
  static const std::vector<int64_t> places{0, 1, 3, 4};
  return places;
}

Tensor mask_without_the_bad_one() {
  Tensor mask = at::ones({kExamples}, at::kBool);
  mask[kBad] = false;
  return mask;
}

/// All floating point inputs of the bad example become `value`; everything or one element of it.
Subject with_bad_inputs(const Subject& subject, double value, bool everywhere) {
  Batch batch;
  for (const Tensor& tensor : subject.batch) {
    batch.push_back(tensor.clone());
    if (tensor.is_floating_point()) (everywhere ? batch.back()[kBad] : batch.back()[kBad].flatten().narrow(0, 0, 1)).fill_(value);
  }
  return with_batch(subject, batch);
}

/// The loss of the bad example is multiplied by `factor`, so that its gradients are no numbers although its activations are.
Subject with_bad_losses(const Subject& subject, double factor) {
  Tensor factors = at::ones({kExamples}, at::kDouble);
  factors[kBad] = factor;
  Batch batch = subject.batch;
  batch.push_back(factors);
  const LossFunction plain = subject.losses;
  return {subject.parameters, batch, [plain](const Batch& b) {
            const Batch inner(b.begin(), b.end() - 1);
            return plain(inner) * b.back();
          }};
}

class NonFinite : public testing::TestWithParam<SubjectFactory> {
 protected:
  void SetUp() override {
    torch::manual_seed(23);
    subject_ = GetParam().make(kExamples, at::kDouble);
    expected_ = reference(with_batch(subject_, select(subject_.batch, others())), 1.0);
  }

  /// The bad example contributes exactly zero, all others what they did, and it is counted; or the method refuses.
  void expect_apart(const Subject& bad, const Tensor& mask, int64_t counted) {
    const bool fallback = runs_through_the_fallback(measure(subject_, {}));
    for (const std::string& method : clipping_methods()) {
      const bool may_refuse = method == "multi_loss" || (fallback && method != "naive");
      try {
        const Measured got = measure(bad, {.method = method, .mask = mask});
        EXPECT_LT(relative_error({select({got.norms}, others())[0]}, {expected_.norms}), 1e-12) << method;
        EXPECT_LT(relative_error(got.sums, expected_.sums), 1e-12) << method;
        EXPECT_EQ(got.nonfinite, counted) << method;
      } catch (const base::PrivacyError& error) {
        EXPECT_TRUE(may_refuse) << method << ": " << error.what();
        EXPECT_FALSE(error.complaint().remedy.empty());
      }
    }
  }

  Subject subject_;
  Reference expected_;
};

TEST_P(NonFinite, InputsOfOneExampleLeaveAllOthersAlone) {
  if (!subject_.batch[0].is_floating_point()) return;  // no token is NaN
  expect_apart(with_bad_inputs(subject_, kNaN, true), {}, 1);
}

TEST_P(NonFinite, GradientsOfOneExampleLeaveAllOthersAlone) { expect_apart(with_bad_losses(subject_, kNaN), {}, 1); }

TEST_P(NonFinite, InfiniteGradientsOfOneExampleLeaveAllOthersAlone) { expect_apart(with_bad_losses(subject_, kInfinity), {}, 1); }

TEST_P(NonFinite, ExamplesThatAreMaskedAreAsIfTheyWereNotThere) {
  expect_apart(subject_, mask_without_the_bad_one(), 0);
  expect_apart(with_bad_losses(subject_, kNaN), mask_without_the_bad_one(), 0);
  expect_apart(with_bad_inputs(subject_, kNaN, true), mask_without_the_bad_one(), 0);
}

INSTANTIATE_TEST_SUITE_P(Subjects, NonFinite, testing::ValuesIn(subjects()), [](const auto& each) { return each.param.name; });

class NonFiniteMlp : public NonFinite {};

TEST_P(NonFiniteMlp, OneElementOfTheInputIsEnough) {
  for (double value : {kNaN, kInfinity, -kInfinity}) expect_apart(with_bad_inputs(subject_, value, false), {}, 1);
}

TEST_P(NonFiniteMlp, AnInfiniteLossWithFiniteGradientsIsDropped) {
  Batch batch = subject_.batch;
  batch.push_back(at::zeros({kExamples}, at::kDouble));
  batch.back()[kBad] = kInfinity;
  const LossFunction plain = subject_.losses;
  expect_apart({subject_.parameters, batch, [=](const Batch& b) { return plain(b) + b.back(); }}, {}, 1);
}

TEST_P(NonFiniteMlp, MultiLossRefusesInsteadOfMixing) {
  EXPECT_THROW((void)measure(with_bad_inputs(subject_, kNaN, true), {.method = "multi_loss"}), base::PrivacyError);
}

TEST_P(NonFiniteMlp, AllExamplesAtOnceGiveZero) {
  Batch batch = subject_.batch;
  batch[0] = at::full_like(batch[0], kNaN);
  for (const char* method : {"auto", "bk", "per_example", "ghost", "naive"}) {
    const Measured got = measure(with_batch(subject_, batch), {.method = method});
    EXPECT_EQ(got.nonfinite, kExamples) << method;
    for (const Tensor& sum : got.sums) EXPECT_TRUE(sum.eq(0).all().item<bool>()) << method;
  }
}

INSTANTIATE_TEST_SUITE_P(Subjects, NonFiniteMlp, testing::Values(subjects()[0]), [](const auto& each) { return each.param.name; });

TEST(NonFiniteFallback, RefusesWithTheOpAndARemedy) {
  torch::manual_seed(23);
  for (const SubjectFactory& factory : subjects()) {
    if (factory.name != "custom_function") continue;
    const Subject subject = factory.make(kExamples, at::kDouble);
    try {
      (void)measure(with_bad_losses(subject, kNaN), {.method = "bk"});
      FAIL() << "accepted";
    } catch (const base::PrivacyError& error) {
      EXPECT_NE(error.complaint().where.find("Cube"), std::string::npos) << error.what();
      EXPECT_FALSE(error.complaint().remedy.empty());
    }
  }
}

}  // namespace
}  // namespace ghostgrad::tests
