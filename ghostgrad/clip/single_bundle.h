// SPDX-License-Identifier: Apache-2.0
// One term of one parameter, reached by a path that leaves norms as they are. The common case, and the cheap one.
#pragma once

#include "ghostgrad/clip/bundle.h"

namespace ghostgrad::clip {

class SingleBundle final : public Bundle {
 public:
  SingleBundle(const graph::Graph& graph, rules::TermPtr term, graph::Path path, std::string label);
  [[nodiscard]] ByParameter squared_norms(Route route) override;
  [[nodiscard]] ByParameter weighted_sums(const Coefficients& coefficients) override;
  [[nodiscard]] std::vector<int> parameters() const override { return {path_.parameter}; }
  [[nodiscard]] rules::Cost cost() const override { return term_->cost(); }
  [[nodiscard]] bool has_gram() const override { return term_->has_gram(); }
  [[nodiscard]] bool isolates_examples() const override { return term_->isolates_examples(); }
  void keep_only(const at::Tensor& valid) override;

 private:
  const graph::Graph& graph_;
  rules::TermPtr term_;
  graph::Path path_;
  at::Tensor kept_;  // [B, *shape]
};

}  // namespace ghostgrad::clip
