// SPDX-License-Identifier: Apache-2.0
// A bundle: all uses whose gradients meet in the same parameters, so that their norms must be taken of the sum.
//
//     |sum_k G_k|^2 = sum_kl <G_k, G_l>         not  sum_k |G_k|^2
//
// Most bundles are one use of one parameter. Several uses of a parameter (shared blocks, RNN steps, F.linear(h, w) beside a layer) are
// concatenated along their positions where they are of one kind, and added up by their inner products where they are not (rules/sum_term.h:
// a tied embedding and head). Uses of pieces that do not overlap (q, k, v of one matrix) are a bundle each, for squares of pieces add up.
// Below zones (weight norm, LoRA merges) and for pieces that overlap, the per-example gradients are formed and added.
//
//     for (auto& bundle : make_bundles(...)) for (auto& [parameter, squared] : bundle->squared_norms(Route::gram)) ...
//     for (auto& [parameter, sum] : bundle->weighted_sums(coefficients)) ...
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/graph/cut.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::clip {

/// One term and where it leads.
struct Use {
  rules::TermPtr term;
  const graph::Zone* zone = nullptr;
  std::string label;  // "linear AddmmBackward0 [64, 10]"
};

/// How one bundle's norms are formed.
enum class Route {
  gram,              // ghost norm; the sum by book-keeping
  instantiate,       // form G_i, throw it away; the sum by book-keeping
  instantiate_keep,  // form G_i and keep it for the sum
};

/// Something for each parameter of a bundle.
using ByParameter = std::vector<std::pair<int, at::Tensor>>;

/// The coefficients of all groups of parameters.
struct Coefficients {
  at::Tensor by_group;            // [groups, B]
  std::vector<int> of_parameter;  // the group of each parameter

  [[nodiscard]] at::Tensor of_group(int group) const { return by_group[group]; }
  [[nodiscard]] at::Tensor of(int parameter) const { return of_group(of_parameter[parameter]); }
};

class Bundle {
 public:
  virtual ~Bundle() = default;
  /// |G_i|^2 [B] of each parameter
  [[nodiscard]] virtual ByParameter squared_norms(Route route) = 0;
  /// sum_i c_i G_i of each parameter, with the coefficients of its group
  [[nodiscard]] virtual ByParameter weighted_sums(const Coefficients& coefficients) = 0;
  [[nodiscard]] virtual std::vector<int> parameters() const = 0;
  [[nodiscard]] virtual rules::Cost cost() const = 0;
  [[nodiscard]] virtual bool has_gram() const = 0;
  [[nodiscard]] virtual bool isolates_examples() const = 0;
  /// Whether the norms cover sums that are formed in another order than by weighted_sums, as by a second backward.
  [[nodiscard]] virtual bool bears_other_orders() const = 0;
  /// Selects all other examples away from every operand and from what is kept. valid: bool [B]
  virtual void keep_only(const at::Tensor& valid) = 0;
  /// What it is made of, for reports and as a key of measurements.
  [[nodiscard]] const std::string& label() const { return label_; }

 protected:
  std::string label_;
};

using BundlePtr = std::unique_ptr<Bundle>;

/// Groups uses by the parameters they meet in.
[[nodiscard]] std::vector<BundlePtr> make_bundles(const graph::Graph& graph, std::vector<Use> uses);

}  // namespace ghostgrad::clip
