// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/rounding.h"

#include <ATen/ops/nonzero.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

namespace ghostgrad::rules {
namespace {

constexpr double kUnit = 0x1p-24, kDeviations = 4;

/// By the cheaper way: both are good to many more digits than are asked for.
at::Tensor squares_in_double(const Term& one) {
  const Cost cost = one.cost();
  return cost.gram < cost.instantiate ? one.squared_norms() : squares_per_example(one.per_example());
}

}  // namespace

at::Tensor rounding_of_sums(int64_t positions, const at::Tensor& squares) {
  if (squares.scalar_type() == at::kDouble) return at::zeros({}, squares.options());
  return (squares * static_cast<double>(positions)).sqrt_().mul_(kDeviations * kUnit);
}

at::Tensor rounding_of_squares(const at::Tensor& lengths) {
  if (lengths.scalar_type() == at::kDouble) return at::zeros({}, lengths.options());
  return lengths.square().mul_(kDeviations * kUnit);
}

at::Tensor settled(const Term& term, const at::Tensor& squares, const at::Tensor& error) {
  if (squares.scalar_type() == at::kDouble) return squares.clamp_min(0);
  const at::Tensor doubtful = error.gt(squares * (2 * kAllowance));
  const at::Tensor examples = doubtful.nonzero().flatten();
  if (examples.numel() == 0) return squares;
  at::Tensor settled = at::where(doubtful, squares.clamp_min(0) + error, squares);
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
