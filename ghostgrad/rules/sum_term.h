// SPDX-License-Identifier: Apache-2.0
// Several uses of one parameter, whose gradients add up per example: a tied embedding and head, a block that is shared.
//
//     G_i = sum_k G_i^k
//     |G_i|^2 = sum_k |G_i^k|^2 + 2 sum_{k<l} <G_i^k, G_i^l>             without forming any G_i, where the uses pair
//     sum_i c_i G_i = sum_k sum_i c_i G_i^k
//
// Uses of one kind are concatenated along their positions first.
//
//     TermPtr term = added_up(std::move(terms));       // one or more terms of one shape
#pragma once

#include "ghostgrad/rules/term.h"

namespace ghostgrad::rules {

class SumTerm final : public Term {
 public:
  /// Two or more terms of one shape.
  explicit SumTerm(std::vector<TermPtr> terms);

  [[nodiscard]] at::Tensor per_example() const override;
  [[nodiscard]] at::Tensor squared_norms() const override;
  [[nodiscard]] at::Tensor weighted_sum(const at::Tensor& coefficients) const override;
  [[nodiscard]] Cost cost() const override;
  [[nodiscard]] at::Tensor rounding() const override;
  [[nodiscard]] double unit() const override;
  [[nodiscard]] bool bears_other_orders() const override;
  [[nodiscard]] bool has_gram() const override;
  [[nodiscard]] at::Tensor lengths() const override;
  [[nodiscard]] at::Tensor lost() const override;
  [[nodiscard]] TermPtr in_double(int64_t example) const override;
  void keep_only(const at::Tensor& valid) override;
  [[nodiscard]] bool isolates_examples() const override;

 private:
  std::vector<TermPtr> terms_;
};

/// The terms as one, concatenated where they are of one kind.
[[nodiscard]] TermPtr added_up(std::vector<TermPtr> terms);

}  // namespace ghostgrad::rules
