// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/rows_term.h"

#include <ATen/ops/_unique2.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include "ghostgrad/rules/linear_term.h"
#include "ghostgrad/rules/rounding.h"

namespace ghostgrad::rules {
namespace {

/// A table of which only these rows are not zero.
struct Rows {
  at::Tensor places;  // [n], sorted
  at::Tensor sums;    // [n, d], float64

  [[nodiscard]] at::Tensor table(int64_t rows, const at::TensorOptions& options) const {
    return at::zeros({rows, sums.size(1)}, options).index_copy_(0, places, sums.to(options));
  }
};

/// Adds up the parts [m, d] whose index [m] is the same, in float64: one after another, their roundings could all be of one sign.
Rows added_up(const at::Tensor& parts, const at::Tensor& index) {
  auto [places, position, counts] = at::_unique2(index, /*sorted=*/true, /*return_inverse=*/true);
  const auto options = parts.options().dtype(at::kDouble);
  at::Tensor sums = at::zeros({places.size(0), parts.size(1)}, options).index_add_(0, position, parts.to(options));
  return {std::move(places), std::move(sums)};
}

}  // namespace

RowsTerm::RowsTerm(at::Tensor index, at::Tensor grads, Shape shape)
    : Term(grads.size(0), std::move(shape)), index_(std::move(index)), grads_(at_least_float(grads)) {}

at::Tensor RowsTerm::rows_of_examples() const {
  return (index_ + at::arange(examples(), index_.options()).mul_(shape()[0]).unsqueeze(1)).flatten();
}

at::Tensor RowsTerm::flat() const { return grads_.reshape({-1, grads_.size(2)}); }

at::Tensor RowsTerm::per_example() const {
  std::vector<int64_t> sizes{examples()};
  sizes.insert(sizes.end(), shape().begin(), shape().end());
  return added_up(flat(), rows_of_examples()).table(examples() * shape()[0], grads_.options()).view(sizes);
}

at::Tensor RowsTerm::squared_norms() const {
  const auto [rows, sums] = added_up(flat(), rows_of_examples());
  const at::Tensor squares = squares_per_example(sums);
  return raised(at::zeros({examples()}, squares.options()).index_add_(0, rows.div(shape()[0], "floor"), squares), rounding());
}

at::Tensor RowsTerm::weighted_sum(const at::Tensor& coefficients) const {
  const at::Tensor scaled = grads_.to(at::kDouble) * coefficients.to(at::kDouble).view({-1, 1, 1});
  return added_up(scaled.flatten(0, 1), index_.flatten()).table(shape()[0], grads_.options()).view(shape());
}

bool RowsTerm::pairs_with(const Term& other) const {
  const auto* linear = dynamic_cast<const LinearTerm*>(&other);
  return linear && linear->left().size(1) == 1 && linear->left().size(3) == shape()[0] && linear->right().size(3) == grads_.size(2);
}

at::Tensor RowsTerm::inner(const Term& other) const {
  if (!pairs_with(other)) return Term::inner(other);
  const auto& linear = dynamic_cast<const LinearTerm&>(other);
  const at::Tensor left = linear.left().squeeze(1), right = linear.right().squeeze(1);  // [B, S, V], [B, S, d]
  const at::Tensor looked_up = left.gather(2, index_.unsqueeze(1).expand({examples(), left.size(1), index_.size(1)}));
  return at::bmm(right, grads_.transpose(1, 2)).mul_(looked_up).sum({1, 2});
}

at::Tensor RowsTerm::lengths() const { return lengths_of(grads_).sum(1); }

at::Tensor RowsTerm::rounding() const { return rounding_of_sums(unit(), index_.size(1), squares_per_example(grads_)); }

double RowsTerm::unit() const { return unit_of(grads_); }

TermPtr RowsTerm::in_double(int64_t example) const {
  if (grads_.scalar_type() == at::kDouble) return nullptr;
  return std::make_unique<RowsTerm>(index_.narrow(0, example, 1), grads_.narrow(0, example, 1).to(at::kDouble), shape());
}

Cost RowsTerm::cost() const {
  const auto looked_up = static_cast<double>(grads_.numel()), kept = static_cast<double>(examples()) * static_cast<double>(numel());
  return {looked_up + kept, looked_up, looked_up, kept, static_cast<double>(index_.size(1)), static_cast<double>(numel())};
}

TermPtr RowsTerm::concatenate(const std::vector<const Term*>& others) const {
  std::vector<at::Tensor> indices{index_}, grads{grads_};
  for (const Term* other : others) {
    const auto* rows = dynamic_cast<const RowsTerm*>(other);
    if (!rows || rows->shape() != shape()) return nullptr;
    indices.push_back(rows->index_);
    grads.push_back(rows->grads_);
  }
  return std::make_unique<RowsTerm>(at::cat(indices, 1), at::cat(grads, 1), shape());
}

void RowsTerm::keep_only(const at::Tensor& valid) { grads_ = select_examples(grads_, valid); }

}  // namespace ghostgrad::rules
