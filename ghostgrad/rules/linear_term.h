// SPDX-License-Identifier: Apache-2.0
// The gradient of a matrix through a linear map, per example, as two factors:
//
//     G_i = left_i^T right_i                                           left [B, H, T, m], right [B, H, T, n] -> [H, m, n]
//     |G_i|^2 = sum_ts (left_t . left_s)(right_t . right_s)            ghost norm [Goodfellow15; Li21, Sec. 4; Bu22, Eq. 2]
//     sum_i c_i G_i = left^T (c * right)                               book-keeping: one GEMM over B*T [Bu22bk, Sec. 3]
//
// H independent maps share the call (heads, groups); H = 1 for an ordinary linear layer, then the shape is [m, n].
// For T = 1 the norm is |left_i|^2 |right_i|^2 and instantiating is never worth it.
#pragma once

#include <optional>

#include "ghostgrad/rules/common_factor.h"
#include "ghostgrad/rules/term.h"

namespace ghostgrad::rules {

class LinearTerm final : public Term {
 public:
  /// left [B, H, T, m], right [B, H, T, n]; shape [m, n] (H = 1) or [H, m, n].
  LinearTerm(at::Tensor left, at::Tensor right, Shape shape);
  LinearTerm(std::shared_ptr<CommonFactor> left, at::Tensor right, Shape shape);

  [[nodiscard]] at::Tensor per_example() const override;
  [[nodiscard]] at::Tensor squared_norms() const override;
  [[nodiscard]] at::Tensor weighted_sum(const at::Tensor& coefficients) const override;
  [[nodiscard]] Cost cost() const override;
  [[nodiscard]] at::Tensor rounding() const override;
  [[nodiscard]] double unit() const override;
  [[nodiscard]] bool bears_other_orders() const override { return true; }
  [[nodiscard]] bool has_gram() const override { return true; }
  [[nodiscard]] at::Tensor lengths() const override;
  [[nodiscard]] at::Tensor lost() const override;
  [[nodiscard]] TermPtr concatenate(const std::vector<const Term*>& others) const override;
  [[nodiscard]] TermPtr transposed() const override;
  [[nodiscard]] TermPtr in_double(int64_t example) const override;
  void keep_only(const at::Tensor& valid) override;

  [[nodiscard]] const at::Tensor& left() const { return left_; }
  [[nodiscard]] const at::Tensor& right() const { return right_; }

 private:
  /// The lengths of what G_i is the sum of, |left_t| |right_t|: asked for several times, and a pass over both factors each.
  struct Pieces {
    at::Tensor lengths;  // [B, H, T]
    at::Tensor lost;     // [B]: of all of them, by underflow
  };
  [[nodiscard]] const Pieces& pieces() const;
  [[nodiscard]] bool is_like(const LinearTerm& other) const;  // factors of the same widths
  [[nodiscard]] at::Tensor squared_gram() const;
  /// May be shared with other terms: not to be written to.
  [[nodiscard]] at::Tensor left_gram() const;

  at::Tensor left_, right_;
  std::shared_ptr<CommonFactor> common_;  // what left_ is, or none
  mutable std::optional<Pieces> pieces_;  // once they were asked for
};

}  // namespace ghostgrad::rules
