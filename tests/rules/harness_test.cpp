// SPDX-License-Identifier: Apache-2.0
// Terms and rules that are wrong on purpose: the harness must notice each.
#include "tests/rules/harness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace ghostgrad::rules::tests {
namespace {

/// A term that does as another, until a test spoils something.
class Spoilt : public Term {
 public:
  explicit Spoilt(TermPtr right) : Term(right->examples(), right->shape()), right_(std::move(right)) {}
  [[nodiscard]] at::Tensor per_example() const override { return right_->per_example(); }
  [[nodiscard]] at::Tensor squared_norms() const override { return right_->squared_norms(); }
  [[nodiscard]] at::Tensor weighted_sum(const at::Tensor& coefficients) const override { return right_->weighted_sum(coefficients); }
  void keep_only(const at::Tensor& valid) override { right_->keep_only(valid); }

 protected:
  TermPtr right_;
};

struct SlightlyLong : Spoilt {
  using Spoilt::Spoilt;
  [[nodiscard]] at::Tensor per_example() const override { return right_->per_example() * (1 + 1e-4); }
  [[nodiscard]] at::Tensor squared_norms() const override { return right_->squared_norms() * (1 + 2e-4); }
  [[nodiscard]] at::Tensor weighted_sum(const at::Tensor& coefficients) const override {
    return right_->weighted_sum(coefficients) * (1 + 1e-4);
  }
};

struct ShortNorm : Spoilt {
  using Spoilt::Spoilt;
  [[nodiscard]] at::Tensor squared_norms() const override { return right_->squared_norms() * (1 - 1e-4); }
};

struct CoarseNorm : Spoilt {
  using Spoilt::Spoilt;
  [[nodiscard]] at::Tensor squared_norms() const override { return squares_per_example(right_->per_example().to(at::kBFloat16)); }
};

struct OtherExamples : Spoilt {
  using Spoilt::Spoilt;
  [[nodiscard]] at::Tensor per_example() const override { return right_->per_example().flip(0); }
  [[nodiscard]] at::Tensor squared_norms() const override { return right_->squared_norms().flip(0); }
};

struct EqualWeights : Spoilt {
  using Spoilt::Spoilt;
  [[nodiscard]] at::Tensor weighted_sum(const at::Tensor& coefficients) const override {
    return right_->weighted_sum(at::ones_like(coefficients));
  }
};

struct NoMask : Spoilt {
  using Spoilt::Spoilt;
  void keep_only(const at::Tensor&) override {}
};

/// 0 * NaN
struct MaskByProduct : Spoilt {
  using Spoilt::Spoilt;
  void keep_only(const at::Tensor& valid) override {
    std::vector<int64_t> sizes(shape().size() + 1, 1);
    sizes[0] = examples();
    const at::Tensor grads = right_->per_example();
    right_ = std::make_unique<DenseTerm>(grads * valid.view(sizes).to(grads.scalar_type()), shape());
  }
};

struct MaskOfOneTooMany : Spoilt {
  using Spoilt::Spoilt;
  void keep_only(const at::Tensor& valid) override { right_->keep_only(valid.logical_and(at::arange(examples()).ne(0))); }
};

template <class Wrong>
std::vector<std::string> found(const Case& tested) {
  return faults(tested, at::kFloat, 5, [](TermPtr term) -> TermPtr { return std::make_unique<Wrong>(std::move(term)); });
}

Case linear() {
  Draw draw(800);
  return {"spoilt", {draw.normal({3, 4})}, {draw.normal({kMostExamples, 6, 4})}, [](const Tensors& w, const Tensors& x) {
            return score(at::linear(x[0], w[0]));
          }};
}

TEST(Harness, FindsNothingWrongWithRightTerms) { EXPECT_EQ(found<Spoilt>(linear()), std::vector<std::string>{}); }
TEST(Harness, NoticesGradientsThatAreSlightlyTooLong) { EXPECT_FALSE(found<SlightlyLong>(linear()).empty()); }
TEST(Harness, NoticesNormsThatAreSlightlyTooShort) { EXPECT_FALSE(found<ShortNorm>(linear()).empty()); }
TEST(Harness, NoticesNormsFormedInLowPrecision) { EXPECT_FALSE(found<CoarseNorm>(linear()).empty()); }
TEST(Harness, NoticesGradientsThatBelongToOtherExamples) { EXPECT_FALSE(found<OtherExamples>(linear()).empty()); }
TEST(Harness, NoticesCoefficientsThatAreForgotten) { EXPECT_FALSE(found<EqualWeights>(linear()).empty()); }
TEST(Harness, NoticesAMaskThatIsForgotten) { EXPECT_FALSE(found<NoMask>(linear()).empty()); }
TEST(Harness, NoticesAMaskThatMultiplies) { EXPECT_FALSE(found<MaskByProduct>(linear()).empty()); }
TEST(Harness, NoticesAMaskThatDropsAnotherExample) { EXPECT_FALSE(found<MaskOfOneTooMany>(linear()).empty()); }

/// A rule that forgets its op's derivative.
Terms derivative_of_one(const CallSite& call) {
  Terms terms;
  if (auto sum = call.summed(call.grads[0], 1)) terms.emplace_back(1, std::make_unique<DenseTerm>(*sum, call.shape(1)));
  return terms;
}
const RegisterRule wrong{{"Atan2Backward0", "wrong on purpose", "atan2(x, w)"}, derivative_of_one};

TEST(Harness, NoticesARuleWithAWrongDerivative) {
  Draw draw(801);
  const Case tested{"wrong_rule", {draw.positive({4})}, {draw.positive({kMostExamples, 3, 4})}, [](const Tensors& w, const Tensors& x) {
                      return score(at::atan2(x[0], w[0]));
                    }};
  EXPECT_FALSE(faults(tested, at::kDouble, 2).empty());
}

TEST(Harness, NoticesAnOpThatFallsBackUnasked) {
  Draw draw(802);
  const Case tested{
      "unasked_fallback", {draw.positive({4})}, {draw.positive({kMostExamples, 3, 4})}, [](const Tensors& w, const Tensors& x) {
        return score(at::pow(x[0], w[0]));
      }};
  EXPECT_FALSE(faults(tested, at::kDouble, 2).empty());
}

}  // namespace
}  // namespace ghostgrad::rules::tests
