// SPDX-License-Identifier: Apache-2.0
// Any uses of any parameters through any zones: the per-example gradients of the parameters are formed and added up. Exact for everything,
// at the price of B engine runs through each zone that is not a path; the clipped sum needs one.
#pragma once

#include <map>

#include "ghostgrad/clip/bundle.h"

namespace ghostgrad::clip {

class JointBundle final : public Bundle {
 public:
  JointBundle(const graph::Graph& graph, std::vector<Use> uses, std::string label);
  [[nodiscard]] ByParameter squared_norms(Route route) override;
  [[nodiscard]] ByParameter weighted_sums(const Coefficients& coefficients) override;
  [[nodiscard]] std::vector<int> parameters() const override;
  [[nodiscard]] rules::Cost cost() const override;
  [[nodiscard]] bool has_gram() const override { return false; }
  [[nodiscard]] bool isolates_examples() const override;
  [[nodiscard]] bool bears_other_orders() const override;
  void keep_only(const at::Tensor& valid) override;

 private:
  using Sums = std::map<int, at::Tensor>;
  /// Per-example gradients [B, *shape] of each parameter.
  [[nodiscard]] Sums per_example() const;
  /// How far the sum of a parameter's uses may lie from the same in another order: [B]. Only where all lead there isometrically.
  [[nodiscard]] at::Tensor rounding(int parameter) const;
  /// sum_i c_i G_i of all parameters, with the same coefficients for all.
  [[nodiscard]] Sums sums_with(const at::Tensor& coefficients) const;

  const graph::Graph& graph_;
  std::vector<Use> uses_;
  /// Gradients keep their length from the uses to the parameters, and so do roundings. Else the sum is made of what the norms saw: no bound
  /// on rounding passes through, and a zone that is no path may draw other random numbers when it is run again.
  bool isometric_;
  Sums kept_;
};

}  // namespace ghostgrad::clip
