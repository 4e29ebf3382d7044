// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/single_bundle.h"

#include "ghostgrad/rules/rounding.h"

namespace ghostgrad::clip {

SingleBundle::SingleBundle(const graph::Graph& graph, rules::TermPtr term, graph::Path path, std::string label)
    : graph_(graph), term_(std::move(term)), path_(std::move(path)) {
  label_ = std::move(label);
}

ByParameter SingleBundle::squared_norms(Route route) {
  kept_.reset();
  if (route == Route::gram) return {{path_.parameter, term_->squared_norms()}};
  const at::Tensor grads = term_->per_example();
  const at::Tensor squared = rules::squares_per_example(grads);
  if (route == Route::instantiate_keep) {
    kept_ = grads;
    return {{path_.parameter, squared}};
  }
  return {{path_.parameter, rules::raised(squared, term_->rounding())}};  // the sum will be formed from other roundings than the norm
}

ByParameter SingleBundle::weighted_sums(const Coefficients& coefficients) {
  const at::Tensor c = coefficients.of(path_.parameter);
  const at::Tensor sum = kept_.defined() ? rules::weighted_sum_of(kept_, c) : term_->weighted_sum(c);
  return {{path_.parameter, graph::pull_back(graph_, path_, sum.unsqueeze(0)).squeeze(0)}};
}

void SingleBundle::keep_only(const at::Tensor& valid) {
  term_->keep_only(valid);
  if (kept_.defined()) kept_ = rules::select_examples(kept_, valid);
}

}  // namespace ghostgrad::clip
