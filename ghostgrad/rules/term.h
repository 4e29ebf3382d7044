// SPDX-License-Identifier: Apache-2.0
// A term: one use of one value W that derives from parameters, holding each example's gradient G_i of W in the cheapest form at hand.
//
//     per_example      G_i                      [B, *shape]     instantiate
//     squared_norms    |G_i|^2                  [B], float64    the ghost norm, without forming G_i where there is a way
//     weighted_sum     sum_i c_i G_i            [*shape]        book-keeping: one GEMM
//
// Only per_example must be written; the others follow from it. Everything is formed in at least float32.
//
//     TermPtr term = ...;                                 // made by a rule, from a call
//     at::Tensor squared = term->squared_norms();
//     at::Tensor sum = term->weighted_sum(coefficients);
//
// Guarantee: rows of examples dropped by `keep_only` are selected away from every operand, so that 0 * NaN cannot arise.
#pragma once

#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/graph/walk.h"

namespace ghostgrad::rules {

using graph::Shape;

/// What the routes of one term cost, in multiply-adds, and the size of what instantiating keeps.
struct Cost {
  double instantiate = 0;      // all G_i
  double gram = 0;             // squared_norms without G_i; equal to `instantiate` where there is no such way
  double weighted_sum = 0;     // after the norms are known
  double kept_elements = 0;    // B * numel(shape)
  double positions = 1;        // T of the published rule 2 T^2 <= p d
  double weight_elements = 0;  // p d
};

class Term;
using TermPtr = std::unique_ptr<Term>;

class Term {
 public:
  Term(int64_t examples, Shape shape) : examples_(examples), shape_(std::move(shape)) {}
  virtual ~Term() = default;

  [[nodiscard]] int64_t examples() const { return examples_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] int64_t numel() const;

  [[nodiscard]] virtual at::Tensor per_example() const = 0;
  [[nodiscard]] virtual at::Tensor squared_norms() const;
  [[nodiscard]] virtual at::Tensor weighted_sum(const at::Tensor& coefficients) const;
  [[nodiscard]] virtual Cost cost() const;

  /// How far G_i may lie from the same G_i formed again in another order: [B], or [] where that is nothing. Positions that cancel leave
  /// the rounding of what cancelled, in either forming another one.
  [[nodiscard]] virtual at::Tensor rounding() const;

  /// Whether G_i stays within its norm, raised by `rounding`, when an ordinary backward adds its pieces up, beside those of others. A sum
  /// that was taken before the term was made does not tell its pieces; rows of a table are added one by one there, in float32.
  [[nodiscard]] virtual bool bears_other_orders() const { return false; }

  /// True when squared_norms has a way of its own that does not form G_i.
  [[nodiscard]] virtual bool has_gram() const { return false; }
  /// <G_i, G'_i> with the gradients of another term of the same shape: [B]
  [[nodiscard]] virtual at::Tensor inner(const Term& other) const;
  /// True when `inner` has a way of its own with that term, that forms neither G_i.
  [[nodiscard]] virtual bool pairs_with(const Term& other) const;
  /// Sum of the lengths of the pieces that G_i is the sum of, which no cancellation makes shorter: [B]
  [[nodiscard]] virtual at::Tensor lengths() const;
  /// Half the distance from 1 to the next number, of the floats that all is formed in.
  [[nodiscard]] virtual double unit() const { return 0x1p-24; }
  /// The length of what of G_i may have underflowed in its norm: [B], or [] where that is nothing.
  [[nodiscard]] virtual at::Tensor lost() const;
  /// The same gradients as a term of the sum of uses; nullptr when these terms have no common cheap form.
  [[nodiscard]] virtual TermPtr concatenate(const std::vector<const Term*>& others) const;
  /// The gradients transposed (2-D shapes only); nullptr when there is no cheap way.
  [[nodiscard]] virtual TermPtr transposed() const { return nullptr; }
  /// The same term of one example alone, in float64; nullptr when it is that already, or there is no cheap way.
  [[nodiscard]] virtual TermPtr in_double(int64_t /*example*/) const { return nullptr; }

  /// Zeros the rows of examples that are not valid. valid: bool [B]
  virtual void keep_only(const at::Tensor& valid) = 0;
  /// Makes the norms valid for each example alone, or not: the fallback runs a node over the whole batch, where one NaN spoils all.
  [[nodiscard]] virtual bool isolates_examples() const { return true; }

 private:
  int64_t examples_;
  Shape shape_;
};

/// The gradients themselves.
class DenseTerm final : public Term {
 public:
  /// grads [B, *shape]
  DenseTerm(at::Tensor grads, Shape shape, bool isolated = true);
  [[nodiscard]] at::Tensor per_example() const override { return grads_; }
  [[nodiscard]] TermPtr concatenate(const std::vector<const Term*>& others) const override;
  [[nodiscard]] TermPtr transposed() const override;
  void keep_only(const at::Tensor& valid) override;
  [[nodiscard]] bool isolates_examples() const override { return isolated_; }

 private:
  at::Tensor grads_;
  bool isolated_;
};

/// Lengths of vectors along the last dimension: [..., n] -> [...], float64
[[nodiscard]] at::Tensor lengths_of(const at::Tensor& vectors);

/// Row sums of squares of grads [B, ...] -> [B], float64
[[nodiscard]] at::Tensor squares_per_example(const at::Tensor& grads);

/// sum_i c_i grads_i: grads [B, *shape], coefficients [B] -> [*shape]
[[nodiscard]] at::Tensor weighted_sum_of(const at::Tensor& grads, const at::Tensor& coefficients);

/// where(valid, rows, 0) for rows [B, ...]: a select, never a product. valid: bool [B]
[[nodiscard]] at::Tensor select_examples(const at::Tensor& rows, const at::Tensor& valid);

/// float64 stays, everything else is formed in float32.
[[nodiscard]] at::Tensor at_least_float(const at::Tensor& tensor);

}  // namespace ghostgrad::rules
