// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/single_bundle.h"

namespace ghostgrad::clip {

SingleBundle::SingleBundle(const graph::Graph& graph, rules::TermPtr term, graph::Path path, std::string label)
    : graph_(graph), term_(std::move(term)), path_(std::move(path)) {
  label_ = std::move(label);
}

at::Tensor SingleBundle::squared_norms(Route route) {
  kept_.reset();
  if (route == Route::gram) return term_->squared_norms();
  const at::Tensor grads = term_->per_example();
  const at::Tensor squared = rules::squares_per_example(grads);
  if (route == Route::instantiate_keep) {
    kept_ = grads;
    return squared;
  }
  return (squared.sqrt() + term_->rounding()).square();  // the sum will be formed from other roundings than the norm
}

ParameterSums SingleBundle::weighted_sums(const at::Tensor& coefficients) {
  const at::Tensor sum = kept_.defined() ? rules::weighted_sum_of(kept_, coefficients) : term_->weighted_sum(coefficients);
  return {{path_.parameter, graph::pull_back(graph_, path_, sum.unsqueeze(0)).squeeze(0)}};
}

void SingleBundle::keep_only(const at::Tensor& valid) {
  term_->keep_only(valid);
  if (kept_.defined()) kept_ = rules::select_examples(kept_, valid);
}

}  // namespace ghostgrad::clip
