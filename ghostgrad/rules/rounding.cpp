// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/rounding.h"

#include <cmath>

#include <ATen/ops/nonzero.h>
#include <ATen/ops/where.h>

namespace ghostgrad::rules {
namespace {

constexpr double kDeviations = 4;

/// By the cheaper way: both are good to many more digits than are asked for.
at::Tensor squares_in_double(const Term& one) {
  const Cost cost = one.cost();
  return cost.gram < cost.instantiate ? one.squared_norms() : squares_per_example(one.per_example());
}

}  // namespace

double unit_of(const at::Tensor& formed) { return formed.scalar_type() == at::kDouble ? 0x1p-53 : 0x1p-24; }

at::Tensor rounding_of_sums(double unit, int64_t positions, const at::Tensor& squares) {
  return (squares * static_cast<double>(positions)).sqrt_().mul_(kDeviations * unit);
}

at::Tensor rounding_of_squares(double unit, const at::Tensor& lengths) { return lengths.square().mul_(kDeviations * unit); }

double lost_length(int64_t elements, const at::Tensor& formed) {
  const double least = formed.scalar_type() == at::kDouble ? 0x1p-1022 : 0x1p-126;
  return std::sqrt(static_cast<double>(elements) * least);
}

at::Tensor settled(const Term& term, const at::Tensor& squares, const at::Tensor& rounding, const at::Tensor& lost) {
  const at::Tensor error = rounding + lost * (2 * squares.clamp_min(0).sqrt() + lost);
  const at::Tensor doubtful = error.gt(squares * (2 * kAllowance)).logical_and_((squares + error).gt(kShortest * kShortest));
  const at::Tensor examples = doubtful.nonzero().flatten();
  at::Tensor settled = at::where(doubtful, squares.clamp_min(0) + error, squares.clamp_min(0));
  for (int64_t k = 0; k < examples.numel(); ++k) {
    const auto example = examples[k].item<int64_t>();
    if (const TermPtr one = term.in_double(example)) settled[example].copy_(squares_in_double(*one)[0].clamp_min(0));
  }
  return settled;
}

at::Tensor raised(const at::Tensor& squares, const at::Tensor& rounding) {
  const at::Tensor norms = squares.sqrt();
  return at::where(rounding <= norms * kAllowance, squares, (norms + rounding).mul_(1 / (1 + kAllowance)).square_());
}

}  // namespace ghostgrad::rules
