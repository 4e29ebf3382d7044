// SPDX-License-Identifier: Apache-2.0
// The gradient of a convolution's weight, per example, held as the inputs x and the output gradients g.
//
//     G_i[o, c, k] = sum over images and positions t of g_i[o, t] x_i[c, t * stride + k * dilation - padding]
//     |G_i|^2 = sum_ts (u_t . u_s)(g_t . g_s)      u_t: the window of x at position t, unfolded; for each group [Bu22, Sec. 3]
//     sum_i c_i G_i                                one weight gradient of ordinary training, of the batch (x, c g)
//
// Each G_i is a weight gradient too, and there are three ways to get at all of them (`ways` below). Which is fastest depends on the shapes
// and the machine: `chosen` is a static choice from measurements, and `per_example_by` lets a caller measure.
//
// A transposed convolution is the same with x and g exchanged: the rule does that.
#pragma once

#include "ghostgrad/rules/term.h"
#include "ghostgrad/rules/unfold.h"

namespace ghostgrad::rules {

/// How to instantiate the per-example weight gradients of a convolution.
enum class ConvolutionWay {
  one_by_one,  // one library call for each example: best for large images
  grouped,     // one library call, the batch folded into its groups: best for cheap examples and for grouped layers
  unfolded,    // a batched product with the unfolded inputs: best for kernels of one element, few inputs, small images of many channels
};

class ConvolutionTerm final : public Term {
 public:
  /// inputs [B, m, C, *spatial], grads [B, m, O, *positions] for m images per example; shape [O, C / groups, *kernel].
  ConvolutionTerm(at::Tensor inputs, at::Tensor grads, Shape shape, Convolution convolution);

  [[nodiscard]] at::Tensor per_example() const override { return per_example_by(chosen()); }
  [[nodiscard]] at::Tensor squared_norms() const override;
  [[nodiscard]] at::Tensor weighted_sum(const at::Tensor& coefficients) const override;
  [[nodiscard]] Cost cost() const override;
  [[nodiscard]] at::Tensor rounding() const override;
  [[nodiscard]] double unit() const override;
  [[nodiscard]] bool bears_other_orders() const override { return true; }
  [[nodiscard]] bool has_gram() const override { return true; }
  [[nodiscard]] TermPtr concatenate(const std::vector<const Term*>& others) const override;
  void keep_only(const at::Tensor& valid) override;

  [[nodiscard]] at::Tensor per_example_by(ConvolutionWay way) const;
  [[nodiscard]] ConvolutionWay chosen() const;

 private:
  [[nodiscard]] at::Tensor one_by_one() const;
  [[nodiscard]] at::Tensor grouped() const;
  [[nodiscard]] at::Tensor unfolded() const;
  [[nodiscard]] int64_t positions() const;  // T: of all images of an example

  at::Tensor inputs_, grads_;
  Convolution convolution_;
};

}  // namespace ghostgrad::rules
