// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/linear_term.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include "ghostgrad/rules/rounding.h"

namespace ghostgrad::rules {
namespace {

/// [B, H, T, k] -> [B*H, T, k]
at::Tensor fold(const at::Tensor& factor) { return factor.reshape({factor.size(0) * factor.size(1), factor.size(2), factor.size(3)}); }

/// [B, H, T, k] -> [H, B*T, k], or [H, T*B, k]
at::Tensor rows(const at::Tensor& factor, bool positions_first) {
  const at::Tensor first = positions_first ? factor.permute({1, 2, 0, 3}) : factor.transpose(0, 1);
  return first.reshape({factor.size(1), factor.size(0) * factor.size(2), factor.size(3)});
}

}  // namespace

LinearTerm::LinearTerm(at::Tensor left, at::Tensor right, Shape shape)
    : Term(left.size(0), std::move(shape)), left_(at_least_float(left)), right_(at_least_float(right)) {}

LinearTerm::LinearTerm(std::shared_ptr<CommonFactor> left, at::Tensor right, Shape shape)
    : LinearTerm(left->values(), std::move(right), std::move(shape)) {
  common_ = std::move(left);
}

at::Tensor LinearTerm::left_gram() const { return common_ ? common_->gram(common_.use_count()) : gram_of(left_); }

at::Tensor LinearTerm::per_example() const {
  std::vector<int64_t> sizes{examples()};
  sizes.insert(sizes.end(), shape().begin(), shape().end());
  return at::bmm(fold(left_).transpose(1, 2), fold(right_)).view(sizes);
}

const LinearTerm::Pieces& LinearTerm::pieces() const {
  if (pieces_) return *pieces_;
  const at::Tensor of_left = lengths_of(left_), of_right = lengths_of(right_);
  const double left_lost = lost_length(left_.size(3), left_), right_lost = lost_length(right_.size(3), right_);
  const at::Tensor lost = (of_left * right_lost + of_right * left_lost + left_lost * right_lost).sum({1, 2});
  return pieces_.emplace(Pieces{of_left * of_right, lost});
}

at::Tensor LinearTerm::squared_norms() const {
  const at::Tensor& lengths = pieces().lengths;
  if (left_.size(2) == 1) return settled(*this, lengths.square().sum({1, 2}), at::zeros({}, at::kDouble), lost());
  const at::Tensor error = rounding_of_squares(unit(), lengths.sum(2)).sum(1);
  return raised(settled(*this, squared_gram(), error, lost()), rounding());
}

/// sum_ts (left_t . left_s)(right_t . right_s): [B], float64
at::Tensor LinearTerm::squared_gram() const {
  return gram_of(right_).mul_(left_gram()).sum({1, 2}).view({examples(), -1}).to(at::kDouble).sum(1);
}

at::Tensor LinearTerm::weighted_sum(const at::Tensor& coefficients) const {
  const at::Tensor c = coefficients.to(left_.scalar_type()).view({-1, 1, 1, 1});
  const bool scale_left = left_.size(3) < right_.size(3);
  const bool positions_first = left_.stride(2) > left_.stride(0);  // as they lie in memory
  const at::Tensor left = rows(scale_left ? left_ * c : left_, positions_first),
                   right = rows(scale_left ? right_ : right_ * c, positions_first);
  if (left.size(0) != 1) return at::bmm(left.transpose(1, 2), right).view(shape());
  if (!common_) return at::mm(left[0].t(), right[0]).view(shape());
  return common_->product()(right[0].t(), left[0]).t().reshape(shape());  // oneDNN would rather transpose the narrower factor
}

at::Tensor LinearTerm::lengths() const { return pieces().lengths.sum({1, 2}); }

at::Tensor LinearTerm::lost() const { return pieces().lost; }

at::Tensor LinearTerm::rounding() const { return rounding_of_sums(unit(), left_.size(2), pieces().lengths.square().sum({1, 2})); }

double LinearTerm::unit() const { return unit_of(left_); }

Cost LinearTerm::cost() const {
  const auto batch = static_cast<double>(examples() * left_.size(1)), t = static_cast<double>(left_.size(2));
  const auto m = static_cast<double>(left_.size(3)), n = static_cast<double>(right_.size(3));
  const double product = batch * t * m * n;
  return {product, t == 1 ? batch * (m + n) : batch * t * t * (m + n), product, batch * m * n, t, m * n};
}

TermPtr LinearTerm::concatenate(const std::vector<const Term*>& others) const {
  std::vector<at::Tensor> lefts{left_}, rights{right_};
  for (const Term* other : others) {
    const auto* linear = dynamic_cast<const LinearTerm*>(other);
    if (!linear || !linear->is_like(*this)) return nullptr;
    lefts.push_back(linear->left_);
    rights.push_back(linear->right_);
  }
  return std::make_unique<LinearTerm>(at::cat(lefts, 2), at::cat(rights, 2), shape());
}

bool LinearTerm::is_like(const LinearTerm& other) const {
  return left_.size(1) == other.left_.size(1) && left_.size(3) == other.left_.size(3) && right_.size(3) == other.right_.size(3);
}

TermPtr LinearTerm::transposed() const {
  if (left_.size(1) != 1) return nullptr;
  return std::make_unique<LinearTerm>(right_, left_, Shape{right_.size(3), left_.size(3)});
}

TermPtr LinearTerm::in_double(int64_t example) const {
  if (left_.scalar_type() == at::kDouble) return nullptr;
  const auto of_example = [&](const at::Tensor& factor) { return factor.narrow(0, example, 1).to(at::kDouble); };
  return std::make_unique<LinearTerm>(of_example(left_), of_example(right_), shape());
}

void LinearTerm::keep_only(const at::Tensor& valid) {
  if (common_) common_ = std::make_shared<CommonFactor>(select_examples(left_, valid), common_->product());
  left_ = common_ ? common_->values() : select_examples(left_, valid);
  right_ = select_examples(right_, valid);
  pieces_.reset();
}

}  // namespace ghostgrad::rules
