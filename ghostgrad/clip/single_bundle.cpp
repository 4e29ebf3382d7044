// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/single_bundle.h"

#include "ghostgrad/rules/rounding.h"

namespace ghostgrad::clip {

SingleBundle::SingleBundle(rules::TermPtr term, int parameter, Place place, std::string label)
    : term_(std::move(term)), parameter_(parameter), place_(std::move(place)) {
  label_ = std::move(label);
}

ByParameter SingleBundle::squared_norms(Route route) {
  kept_.reset();
  if (route == Route::gram) return {{parameter_, term_->squared_norms()}};
  const at::Tensor grads = term_->per_example();
  const at::Tensor squared = rules::squares_per_example(grads);
  if (route == Route::instantiate_keep) {
    kept_ = grads;
    return {{parameter_, squared}};
  }
  return {{parameter_, rules::raised(squared, term_->rounding())}};  // the sum will be formed from other roundings than the norm
}

ByParameter SingleBundle::weighted_sums(const Coefficients& coefficients) {
  const at::Tensor c = coefficients.of(parameter_);
  const at::Tensor sum = kept_.defined() ? rules::weighted_sum_of(kept_, c) : term_->weighted_sum(c);
  return {{parameter_, place_(sum.unsqueeze(0)).squeeze(0)}};
}

void SingleBundle::keep_only(const at::Tensor& valid) {
  term_->keep_only(valid);
  if (kept_.defined()) kept_ = rules::select_examples(kept_, valid);
}

}  // namespace ghostgrad::clip
