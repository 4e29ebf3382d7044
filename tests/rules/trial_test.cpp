// SPDX-License-Identifier: Apache-2.0
// Rules on trial: right ones are believed, wrong ones found out by the node itself and replaced by the fallback.
#include "ghostgrad/rules/trial.h"

#include "tests/rules/uses.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

namespace ghostgrad::rules::tests {
namespace {

/// d/dw hypot(x, w) = w / hypot(x, w), for x [B, n] and w [n]; its gradients are what `spoil` makes of that.
template <class Spoil>
Terms of_second(const CallSite& call, at::Tensor others, const Spoil& spoil) {
  Terms terms;
  terms.emplace_back(1, std::make_unique<DenseTerm>(spoil(call.grads[0] * others), call.shape(1)));
  return terms;
}

const RegisterRule right{{"MaximumBackward0", "right", "max(x, w)", /*on_trial=*/true}, [](const CallSite& call) {
                           auto& node = call.node<torch::autograd::Node>();
                           graph::variable_list grads(1, call.grads[0]);
                           return of_second(call, node(std::move(grads))[1].ne(0).to(call.grads[0].scalar_type()),
                                            [](const at::Tensor& grads_of_examples) { return grads_of_examples; });
                         }};

const RegisterRule forgets{{"MinimumBackward0", "forgets the derivative", "min(x, w)", /*on_trial=*/true}, [](const CallSite& call) {
                             return of_second(call, at::ones({}, call.grads[0].options()),
                                              [](const at::Tensor& grads_of_examples) { return grads_of_examples; });
                           }};

const RegisterRule mixes_up{{"FmaxBackward0", "gives each the gradient of another", "fmax(x, w)", /*on_trial=*/true},
                            [](const CallSite& call) {
                              auto& node = call.node<torch::autograd::Node>();
                              graph::variable_list grads(1, call.grads[0]);
                              return of_second(call, node(std::move(grads))[1].ne(0).to(call.grads[0].scalar_type()),
                                               [](const at::Tensor& grads_of_examples) { return grads_of_examples.flip(0); });
                            }};

const RegisterRule refuses{{"FminBackward0", "throws", "fmin(x, w)", /*on_trial=*/true},
                           [](const CallSite&) -> Terms { TORCH_CHECK(false, "the library does not do this"); }};

using Op = at::Tensor (*)(const at::Tensor&, const at::Tensor&);

Case case_of(Op op) {
  Draw draw(820);
  return {"on_trial", {draw.normal({4})}, {draw.normal({kMostExamples, 4})}, [op](const Tensors& w, const Tensors& x) {
            return score(op(x[0], w[0]));
          }};
}

bool is_by_rule(Op op, int64_t examples, Trials& trials, double root = 1) {
  const Reading reading = read(evaluate(case_of(op), at::kDouble, {0, examples}), at::full({examples}, root, at::kDouble), nullptr, trials);
  EXPECT_EQ(reading.uses.size(), 1u);
  return reading.uses.at(0).by_rule;
}

at::Tensor max(const at::Tensor& x, const at::Tensor& w) { return at::maximum(x, w); }
at::Tensor min(const at::Tensor& x, const at::Tensor& w) { return at::minimum(x, w); }
at::Tensor fmax(const at::Tensor& x, const at::Tensor& w) { return at::fmax(x, w); }
at::Tensor fmin(const at::Tensor& x, const at::Tensor& w) { return at::fmin(x, w); }

TEST(Trials, BelieveARightRule) {
  Trials trials;
  EXPECT_TRUE(is_by_rule(max, 5, trials));
}

TEST(Trials, FindOutAWrongDerivative) {
  Trials trials;
  EXPECT_FALSE(is_by_rule(min, 5, trials));
}

TEST(Trials, FindOutGradientsThatBelongToOtherExamples) {
  Trials trials;
  EXPECT_FALSE(is_by_rule(fmax, 5, trials));
}

TEST(Trials, TakeARefusalOfTheLibraryForAFailure) {
  Trials trials;
  EXPECT_FALSE(is_by_rule(fmin, 5, trials));
}

TEST(Trials, LeaveWhatFailsToTheFallbackWhichIsExact) {
  for (const Op op : {min, fmax, fmin}) {
    Case tested = case_of(op);
    tested.fallback = {"MinimumBackward0", "FmaxBackward0", "FminBackward0"};
    for (const auto dtype : {at::kDouble, at::kFloat}) EXPECT_EQ(faults(tested, dtype, 5), std::vector<std::string>{});
  }
}

TEST(Trials, RememberWhatPassedByItsShape) {
  Trials trials;
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(is_by_rule(max, 5, trials, kNaN)) << "nothing can be told from NaN";
  EXPECT_TRUE(is_by_rule(max, 5, trials));
  EXPECT_TRUE(is_by_rule(max, 5, trials, kNaN)) << "passed before";
  EXPECT_FALSE(is_by_rule(max, 4, trials, kNaN)) << "another shape";
}

TEST(Trials, DoNotRememberWhatGradientsOfZeroCouldNotTell) {
  Trials trials;
  EXPECT_TRUE(is_by_rule(min, 5, trials, 0)) << "zero by any rule";
  EXPECT_FALSE(is_by_rule(min, 5, trials));
}

}  // namespace
}  // namespace ghostgrad::rules::tests
