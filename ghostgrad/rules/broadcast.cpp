// SPDX-License-Identifier: Apache-2.0
// Parameters broadcast against data: positional embeddings, layer scales, gains, class tokens, temperatures, masks.
//
//     z = x + a w   G_i = a sum g              z = x w   G_i = sum g x
//     z = x / w     G_i = -sum g (x / w) / w   z = w / x   G_i = sum g / x
//
// The sum runs over what broadcasting added or stretched, for each example apart. Where it leaves the example axis alone each example owns
// a part of w, and the fallback takes over.
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/rules/examples_first.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {
namespace {

namespace generated = torch::autograd::generated;

/// The term of an edge at which the gradient is factor() for each element of the result; formed only where the edge leads to parameters.
template <class Factor>
void add(const CallSite& call, int edge, Factor factor, Terms& terms) {
  if (!call.wants(edge) || call.grads[0].is_complex()) return;
  const auto sum = call.summed(factor(), edge);
  if (sum) terms.emplace_back(edge, std::make_unique<DenseTerm>(*sum, call.shape(edge)));
}

/// The gradient of the result, in the precision in which everything is formed.
at::Tensor grads(const CallSite& call) { return at_least_float(call.grads[0]); }

at::Tensor scaled(const CallSite& call, double factor) { return factor == 1 ? call.grads[0] : grads(call) * factor; }

Terms add_rule(const CallSite& call) {
  auto& node = call.node<generated::AddBackward0>();
  Terms terms;
  add(
      call, 0, [&] { return call.grads[0]; }, terms);
  add(
      call, 1, [&] { return scaled(call, node.alpha.toDouble()); }, terms);
  return terms;
}

Terms subtract(const CallSite& call) {
  auto& node = call.node<generated::SubBackward0>();
  Terms terms;
  add(
      call, 0, [&] { return call.grads[0]; }, terms);
  add(
      call, 1, [&] { return scaled(call, -node.alpha.toDouble()); }, terms);
  return terms;
}

/// other - alpha * self
Terms subtract_from(const CallSite& call) {
  auto& node = call.node<generated::RsubBackward0>();
  Terms terms;
  add(
      call, 0, [&] { return scaled(call, -node.alpha.toDouble()); }, terms);
  add(
      call, 1, [&] { return call.grads[0]; }, terms);
  return terms;
}

Terms multiply(const CallSite& call) {
  auto& node = call.node<generated::MulBackward0>();
  Terms terms;
  add(
      call, 0, [&] { return grads(call) * node.other_.unpack(call.self()); }, terms);
  add(
      call, 1, [&] { return grads(call) * node.self_.unpack(call.self()); }, terms);
  return terms;
}

Terms divide(const CallSite& call) {
  auto& node = call.node<generated::DivBackward0>();
  Terms terms;
  const auto other = [&] { return at_least_float(node.other_.unpack(call.self())); };
  add(
      call, 0, [&] { return grads(call) / other(); }, terms);
  add(
      call, 1, [&] { return grads(call) * (at_least_float(node.self_.unpack(call.self())) / other() / other()).neg_(); }, terms);
  return terms;
}

Terms expand(const CallSite& call) {
  Terms terms;
  add(
      call, 0, [&] { return call.grads[0]; }, terms);
  return terms;
}

/// Who owns a repeated tensor [..., r*s, ...] read as [..., r, s, ...]: the order of its elements is the same.
graph::Ownership read_as_repeats(graph::Ownership ownership, const Shape& split) {
  if (ownership.kind != graph::Ownership::Kind::per_index) return ownership;
  ownership.dim *= 2;
  return split[ownership.dim + 1] == 1 ? ownership : graph::Ownership::mixed();
}

Terms repeat(const CallSite& call) {
  auto& node = call.node<generated::RepeatBackward0>();
  const size_t extra = node.repeats.size() - node.self_sym_sizes.size();
  Shape split, kept;
  for (size_t d = 0; d < node.repeats.size(); ++d) {
    const int64_t size = d < extra ? 1 : node.self_sym_sizes[d - extra].expect_int();
    split.append({node.repeats[d].expect_int(), size});
    kept.append({1, size});
  }
  const auto sum = sum_to_shape(call.grads[0].reshape(split), read_as_repeats(call.owners[0], split), call.examples(), kept);
  std::vector<int64_t> sizes{call.examples()};
  sizes.insert(sizes.end(), call.shape(0).begin(), call.shape(0).end());
  Terms terms;
  if (sum) terms.emplace_back(0, std::make_unique<DenseTerm>(sum->view(sizes), call.shape(0)));
  return terms;
}

Terms where(const CallSite& call) {
  auto& node = call.node<generated::WhereBackward0>();
  Terms terms;
  const at::Tensor condition = node.condition_.unpack(call.self()), zero = at::zeros({}, call.grads[0].options());
  add(
      call, 0, [&] { return at::where(condition, call.grads[0], zero); }, terms);
  add(
      call, 1, [&] { return at::where(condition, zero, call.grads[0]); }, terms);
  return terms;
}

const RegisterRule registered_add{{"AddBackward0", "broadcast", "x + alpha * w"}, add_rule};
const RegisterRule registered_sub{{"SubBackward0", "broadcast", "x - alpha * w"}, subtract};
const RegisterRule registered_rsub{{"RsubBackward0", "broadcast", "w - alpha * x"}, subtract_from};
const RegisterRule registered_mul{{"MulBackward0", "broadcast", "x * w"}, multiply};
const RegisterRule registered_div{{"DivBackward0", "broadcast", "x / w or w / x"}, divide};
const RegisterRule registered_expand{{"ExpandBackward0", "broadcast", "w expanded over examples or positions"}, expand};
const RegisterRule registered_repeat{{"RepeatBackward0", "broadcast", "w repeated over examples or positions"}, repeat};
const RegisterRule registered_where{{"WhereBackward0", "broadcast", "where(mask, x, w)"}, where};

}  // namespace
}  // namespace ghostgrad::rules
