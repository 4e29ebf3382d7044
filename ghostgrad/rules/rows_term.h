// SPDX-License-Identifier: Apache-2.0
// The gradient of a table of rows (an embedding), per example, held as which rows it looked up and what came back for each.
//
//     G_i[v] = sum over positions t with index_i[t] = v of g_i[t]           index [B, T], g [B, T, d]; table [V, d]
//     |G_i|^2 = sum_v |G_i[v]|^2                                            over the rows that i looked up only: B*T*d, never B*V*d
//     sum_i c_i G_i                                                         one addition for each row looked up
//
//     <G_i, left_i^T right_i> = sum_st left_i[s, index_i[t]] (right_i[s] . g_i[t])     beside a tied head: no V x d either [design]
//
// A token that an example repeats is summed before it is squared, never after.
#pragma once

#include "ghostgrad/rules/term.h"

namespace ghostgrad::rules {

class RowsTerm final : public Term {
 public:
  /// index: int64 [B, T] in [0, V); grads [B, T, d]; shape [V, ...] of d elements a row.
  RowsTerm(at::Tensor index, at::Tensor grads, Shape shape);

  [[nodiscard]] at::Tensor per_example() const override;
  [[nodiscard]] at::Tensor squared_norms() const override;
  [[nodiscard]] at::Tensor weighted_sum(const at::Tensor& coefficients) const override;
  [[nodiscard]] Cost cost() const override;
  [[nodiscard]] bool has_gram() const override { return true; }
  [[nodiscard]] at::Tensor inner(const Term& other) const override;
  /// With linear maps of one matrix.
  [[nodiscard]] bool pairs_with(const Term& other) const override;
  [[nodiscard]] at::Tensor lengths() const override;
  [[nodiscard]] at::Tensor rounding() const override;
  [[nodiscard]] double unit() const override;
  [[nodiscard]] TermPtr in_double(int64_t example) const override;
  [[nodiscard]] TermPtr concatenate(const std::vector<const Term*>& others) const override;
  void keep_only(const at::Tensor& valid) override;

 private:
  [[nodiscard]] at::Tensor rows_of_examples() const;  // [B*T]: the row in B tables stacked on each other
  [[nodiscard]] at::Tensor flat() const;              // [B*T, d]

  at::Tensor index_, grads_;
};

}  // namespace ghostgrad::rules
