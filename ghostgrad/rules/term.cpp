// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/term.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

namespace ghostgrad::rules {

int64_t Term::numel() const {
  int64_t product = 1;
  for (int64_t size : shape_) product *= size;
  return product;
}

at::Tensor Term::squared_norms() const { return squares_per_example(per_example()); }

at::Tensor Term::weighted_sum(const at::Tensor& coefficients) const { return weighted_sum_of(per_example(), coefficients); }

Cost Term::cost() const {
  const double elements = static_cast<double>(examples_) * static_cast<double>(numel());
  return {elements, elements, elements, elements, 1.0, static_cast<double>(numel())};
}

at::Tensor Term::rounding() const { return at::zeros({}, at::kDouble); }

at::Tensor Term::lost() const { return at::zeros({}, at::kDouble); }

at::Tensor Term::inner(const Term& other) const {
  const at::Tensor grads = per_example();
  return (grads * other.per_example().reshape(grads.sizes())).flatten(1).sum(1);
}

bool Term::pairs_with(const Term&) const { return false; }

at::Tensor Term::lengths() const { return squared_norms().sqrt(); }

TermPtr Term::concatenate(const std::vector<const Term*>&) const { return nullptr; }

DenseTerm::DenseTerm(at::Tensor grads, Shape shape, bool isolated)
    : Term(grads.size(0), std::move(shape)), grads_(at_least_float(grads)), isolated_(isolated) {}

TermPtr DenseTerm::concatenate(const std::vector<const Term*>& others) const {
  at::Tensor sum = grads_.clone();
  bool isolated = isolated_;
  for (const Term* other : others) {
    sum += other->per_example().reshape(sum.sizes());
    isolated = isolated && other->isolates_examples();
  }
  return std::make_unique<DenseTerm>(std::move(sum), shape(), isolated);
}

TermPtr DenseTerm::transposed() const {
  if (shape().size() != 2) return nullptr;
  return std::make_unique<DenseTerm>(grads_.transpose(1, 2), Shape{shape()[1], shape()[0]}, isolated_);
}

void DenseTerm::keep_only(const at::Tensor& valid) { grads_ = select_examples(grads_, valid); }

/// In parts: on a CPU the library adds squares up one by one, and 40 million floats came out 4 % too short or too long.
at::Tensor lengths_of(const at::Tensor& vectors) {
  constexpr int64_t part = 1 << 14;
  const auto of_short = [](const at::Tensor& some) { return at::linalg_vector_norm(some, 2, at::IntArrayRef{-1}).to(at::kDouble); };
  const int64_t size = vectors.size(-1), parts = size / part;
  if (parts <= 1) return of_short(vectors);
  at::Tensor squares = of_short(vectors.narrow(-1, 0, parts * part).unflatten(-1, {parts, part})).square_().sum(-1);
  if (size > parts * part) squares += of_short(vectors.narrow(-1, parts * part, size - parts * part)).square_();
  return squares.sqrt_();
}

at::Tensor squares_per_example(const at::Tensor& grads) { return lengths_of(grads.reshape({grads.size(0), -1})).square_(); }

at::Tensor weighted_sum_of(const at::Tensor& grads, const at::Tensor& coefficients) {
  const auto rows = grads.reshape({grads.size(0), -1});
  return at::mv(rows.t(), coefficients.to(rows.scalar_type())).view(grads.sizes().slice(1));
}

at::Tensor select_examples(const at::Tensor& rows, const at::Tensor& valid) {
  std::vector<int64_t> sizes(rows.dim(), 1);
  sizes[0] = rows.size(0);
  return at::where(valid.view(sizes), rows, at::zeros({}, rows.options()));
}

at::Tensor at_least_float(const at::Tensor& tensor) {
  const bool low = tensor.scalar_type() == at::kHalf || tensor.scalar_type() == at::kBFloat16;
  return low ? tensor.to(at::kFloat) : tensor;
}

}  // namespace ghostgrad::rules
