// SPDX-License-Identifier: Apache-2.0
// Looking rows of a table up: embedding, embedding bag, index_select and indexing by integers. The terms are in rows_term.h.
//
//     z[t] = w[index[t]]                              a repeated token adds up, a padding token contributes nothing
//     z[bag] = sum or mean over its tokens of w[.]    the gradient of a bag goes to each of its tokens
#include <algorithm>

#include <ATen/ops/arange.h>
#include <ATen/ops/searchsorted.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/rules/examples_first.h"
#include "ghostgrad/rules/rows_term.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {
namespace {

namespace generated = torch::autograd::generated;

/// Rows looked up by `index` [*positions], what came back for each [*positions, *row], and along which axis of the positions examples lie.
struct Lookup {
  at::Tensor index;
  at::Tensor grads;
  graph::Axis axis;
  int64_t padding = -1;  // a token without gradient
};

int64_t row_elements(const Shape& table) {
  int64_t product = 1;
  for (size_t d = 1; d < table.size(); ++d) product *= table[d];
  return product;
}

TermPtr rows_term(const CallSite& call, const Lookup& lookup) {
  const Shape& shape = call.shape(0);
  const at::Tensor index = examples_first(lookup.index, lookup.axis, call.examples(), lookup.index.dim());
  at::Tensor grads = examples_first(lookup.grads, lookup.axis, call.examples(), lookup.index.dim());
  grads = grads.reshape({index.size(0), index.size(1), row_elements(shape)});
  if (lookup.padding >= 0) grads = grads.masked_fill(index.eq(lookup.padding).unsqueeze(2), 0);
  return std::make_unique<RowsTerm>(index.remainder(shape[0]).to(at::kLong), grads, shape);
}

Terms only(TermPtr term) {
  Terms terms;
  terms.emplace_back(0, std::move(term));
  return terms;
}

Terms embedding(const CallSite& call) {
  auto& node = call.node<generated::EmbeddingBackward0>();
  if (node.scale_grad_by_freq) return {};
  const at::Tensor index = node.indices_.unpack(call.self());
  const auto axis = call.axis_before(index.dim());
  return axis ? only(rows_term(call, {index, call.grads[0], *axis, node.padding_idx.expect_int()})) : Terms{};
}

Terms index_select(const CallSite& call) {
  auto& node = call.node<generated::IndexSelectBackward0>();
  const auto axis = call.axis_along(0);
  const at::Tensor index = node.index_.unpack(call.self());
  if (!axis || node.dim != 0 || index.dim() != 1 || call.grads[0].dim() < 2) return {};
  return only(rows_term(call, {index, call.grads[0], *axis}));
}

/// w[index] with one tensor of integers in front; masks and several indices are left to the fallback.
Terms index(const CallSite& call) {
  auto& node = call.node<generated::IndexBackward0>();
  std::vector<at::Tensor> indices;
  for (const auto& saved : node.indices_) indices.push_back(saved.unpack(call.self()));
  const bool one = !indices.empty() && indices[0].defined() && at::isIntegralType(indices[0].scalar_type(), /*includeBool=*/false) &&
                   indices[0].scalar_type() != at::kByte &&
                   std::none_of(indices.begin() + 1, indices.end(), [](const at::Tensor& other) { return other.defined(); });
  const auto axis = one ? call.axis_before(indices[0].dim()) : std::nullopt;
  return axis ? only(rows_term(call, {indices[0], call.grads[0], *axis})) : Terms{};
}

/// The bag of each token, from where the bags start.
at::Tensor bags_of_tokens(const at::Tensor& offsets, int64_t bags, int64_t tokens) {
  const at::Tensor starts = offsets.narrow(0, 0, bags).to(at::kLong).contiguous();
  return at::searchsorted(starts, at::arange(tokens, starts.options()), /*out_int32=*/false, /*right=*/true).sub_(1);
}

/// The owner of each token: that of its bag.
graph::Axis axis_of_tokens(const CallSite& call, const graph::Axis& bags, const at::Tensor& bag_of_token) {
  const auto owner_of_bag = graph::owners_along(bags, Shape(call.grads[0].sizes()), call.examples());
  const at::Tensor bag = bag_of_token.cpu();
  auto owners = std::make_shared<std::vector<int32_t>>();
  for (int64_t t = 0; t < bag.numel(); ++t) owners->push_back((*owner_of_bag)[bag.const_data_ptr<int64_t>()[t]]);
  return {0, 1, owners};
}

Terms embedding_bag(const CallSite& call) {
  auto& node = call.node<generated::EmbeddingBagBackward0>();
  constexpr int64_t mode_mean = 1, mode_max = 2;
  const auto bags = call.axis_along(0);
  if (!bags || node.scale_grad_by_freq || node.mode == mode_max || !call.only_first_slot()) return {};
  const at::Tensor tokens = node.indices_.unpack(call.self()), weights = node.per_sample_weights_.unpack(call.self());
  const at::Tensor bag = bags_of_tokens(node.offsets_.unpack(call.self()), call.grads[0].size(0), tokens.numel());
  at::Tensor grads = at_least_float(call.grads[0]);
  if (node.mode == mode_mean) grads = grads / node.result2_.unpack(call.self()).clamp_min(1).unsqueeze(1);
  grads = grads.index_select(0, bag);
  if (weights.defined()) grads = grads * weights.unsqueeze(1);
  return only(rows_term(call, {tokens, grads, axis_of_tokens(call, *bags, bag), node.padding_idx}));
}

const RegisterRule registered_embedding{{"EmbeddingBackward0", "embedding", "w[index]"}, embedding};
const RegisterRule registered_bag{{"EmbeddingBagBackward0", "embedding", "sum or mean of w[index] over each bag"}, embedding_bag};
const RegisterRule registered_select{{"IndexSelectBackward0", "embedding", "w.index_select(0, index)"}, index_select};
const RegisterRule registered_index{{"IndexBackward0", "embedding", "w[index], a tensor of integers"}, index};

}  // namespace
}  // namespace ghostgrad::rules
