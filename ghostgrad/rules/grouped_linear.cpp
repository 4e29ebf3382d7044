// SPDX-License-Identifier: Apache-2.0
// One linear map for each group of rows (mixtures of experts): rows are sorted by group, and examples lie among them in any order.
//
//     z_r = x_r @ W[group of r]              G_i[e] = sum over rows r of example i in group e of x_r^T g_r        [E, d, p]
//
// Each pair of an example and a group is treated as an example of its own: the term is an ordinary linear one with H = E maps.
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/rules/examples_first.h"
#include "ghostgrad/rules/linear_term.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {
namespace {

/// The owner of each row among the B*E pairs; -1 past the last group.
graph::Owners owners_of_pairs(const std::vector<int32_t>& owners, const at::Tensor& group_ends) {
  const at::Tensor ends = group_ends.to(at::kCPU, at::kLong).contiguous();
  const int64_t* end = ends.const_data_ptr<int64_t>();
  const int64_t groups = ends.numel();
  auto pairs = std::make_shared<std::vector<int32_t>>(owners.size(), -1);
  int64_t group = 0;
  for (size_t row = 0; row < owners.size(); ++row) {
    while (group < groups && static_cast<int64_t>(row) >= end[group]) ++group;
    if (group < groups && owners[row] >= 0) (*pairs)[row] = static_cast<int32_t>(owners[row] * groups + group);
  }
  return pairs;
}

Terms grouped_mm(const CallSite& call) {
  auto& node = call.node<torch::autograd::generated::GroupedMmBackward0>();
  const at::Tensor rows = node.self_.unpack(call.self()), ends = node.offs_.unpack(call.self());
  const auto axis = call.axis_along(0);
  if (!axis || !call.wants(1) || !rows.defined() || rows.dim() != 2 || !ends.defined() || call.shape(1).size() != 3) return {};
  const int64_t groups = call.shape(1)[0], pairs = call.examples() * groups;
  const auto owners = graph::owners_along(*axis, Shape(call.grads[0].sizes()), call.examples());
  const graph::Axis by_pair{0, 1, owners_of_pairs(*owners, ends)};
  const auto gathered = [&](const at::Tensor& matrix) {
    return examples_first(matrix, by_pair, pairs, 1).unflatten(0, {call.examples(), groups});  // [B, E, T, k]
  };
  Terms terms;
  terms.emplace_back(1, std::make_unique<LinearTerm>(gathered(rows), gathered(call.grads[0]), call.shape(1)));
  return terms;
}

const RegisterRule registered{{"GroupedMmBackward0", "linear", "x_r @ W[group of row r]"}, grouped_mm};

}  // namespace
}  // namespace ghostgrad::rules
