// SPDX-License-Identifier: Apache-2.0
// One term of one parameter, or of a piece of it, reached by a path that leaves norms as they are. The common case, and the cheap one.
#pragma once

#include <functional>

#include "ghostgrad/clip/bundle.h"

namespace ghostgrad::clip {

class SingleBundle final : public Bundle {
 public:
  /// From gradients of what the term is of to those of the parameter: [n, *shape there] -> [n, *shape]
  using Place = std::function<at::Tensor(const at::Tensor&)>;

  SingleBundle(rules::TermPtr term, int parameter, Place place, std::string label);
  [[nodiscard]] ByParameter squared_norms(Route route) override;
  [[nodiscard]] ByParameter weighted_sums(const Coefficients& coefficients) override;
  [[nodiscard]] std::vector<int> parameters() const override { return {parameter_}; }
  [[nodiscard]] rules::Cost cost() const override { return term_->cost(); }
  [[nodiscard]] bool has_gram() const override { return term_->has_gram(); }
  [[nodiscard]] bool isolates_examples() const override { return term_->isolates_examples(); }
  [[nodiscard]] bool bears_other_orders() const override { return term_->bears_other_orders(); }
  void keep_only(const at::Tensor& valid) override;

 private:
  rules::TermPtr term_;
  int parameter_;
  Place place_;
  at::Tensor kept_;  // [B, *shape]
};

}  // namespace ghostgrad::clip
