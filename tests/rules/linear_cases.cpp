// SPDX-License-Identifier: Apache-2.0
// Linear maps: every layout of the rows, the weight on either side, shared, sliced, stacked and routed.
#include "tests/rules/harness.h"

#include <ATen/ops/_grouped_mm.h>

namespace ghostgrad::rules::tests {
namespace {

constexpr int64_t N = kMostExamples;

/// x [.., 4] -> [.., 3], weight [3, 4], bias [3]
Tensors weight_and_bias(uint64_t seed) {
  Draw draw(seed);
  return {draw.normal({3, 4}), draw.normal({3})};
}

const RegisterCase vectors([] {
  return Case{"linear_of_vectors", weight_and_bias(1), {Draw(2).normal({N, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(x[0], w[0], w[1]));
              }};
});

const RegisterCase batch_first([] {
  return Case{"linear_batch_first", weight_and_bias(3), {Draw(4).normal({N, 6, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(x[0], w[0], w[1]));
              }};
});

const RegisterCase without_bias([] {
  return Case{"linear_without_bias", {Draw(5).normal({3, 4})}, {Draw(6).normal({N, 6, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(x[0], w[0]));
              }};
});

const RegisterCase sequence_first([] {
  return Case{"linear_sequence_first", weight_and_bias(7), {Draw(8).normal({N, 6, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(x[0].transpose(0, 1).contiguous(), w[0], w[1]).transpose(0, 1));
              }};
});

const RegisterCase non_contiguous([] {
  return Case{"linear_of_a_transposed_input", weight_and_bias(9), {Draw(10).normal({N, 4, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(x[0].transpose(1, 2), w[0], w[1]));
              }};
});

const RegisterCase non_contiguous_batch([] {
  return Case{"linear_of_a_sequence_first_view", weight_and_bias(11), {Draw(12).normal({N, 6, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(x[0].transpose(0, 1), w[0], w[1]).transpose(0, 1));
              }};
});

const RegisterCase flattened([] {
  return Case{"linear_of_flattened_rows", weight_and_bias(13), {Draw(14).normal({N, 6, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(x[0].reshape({-1, 4}), w[0], w[1]).view({-1, 6, 3}));
              }};
});

const RegisterCase four_dimensions([] {
  return Case{"linear_of_four_dimensions", weight_and_bias(15), {Draw(16).normal({N, 2, 3, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(x[0], w[0], w[1]));
              }};
});

const RegisterCase examples_in_the_middle([] {
  return Case{
      "linear_with_examples_in_the_middle", weight_and_bias(17), {Draw(18).normal({N, 2, 3, 4})}, [](const Tensors& w, const Tensors& x) {
        return score(at::linear(x[0].transpose(0, 1).contiguous(), w[0], w[1]).transpose(0, 1));
      }};
});

const RegisterCase single_position([] {
  return Case{"linear_of_one_position", weight_and_bias(19), {Draw(20).normal({N, 1, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(x[0], w[0], w[1]));
              }};
});

/// Sequences of different lengths, one after the other in one matrix.
const RegisterCase packed([] {
  Draw draw(21);
  return Case{"linear_of_packed_rows",
              weight_and_bias(22),
              {draw.normal({N, 6, 4}), draw.integers(6, {N}) + 1},
              [](const Tensors& w, const Tensors& x) {
                const at::Tensor kept = at::arange(6).unsqueeze(0) < x[1].unsqueeze(1);  // [B, 6]
                const at::Tensor example = kept.nonzero().select(1, 0);
                const at::Tensor rows = at::linear(x[0].index({kept}), w[0], w[1]);
                return at::zeros({x[1].size(0)}, rows.options()).index_add(0, example, score(rows));
              }};
});

/// Each row goes to one of three experts; the rows of an expert come from any examples in any number.
at::Tensor mixture(const Tensors& w, const Tensors& x) {
  const at::Tensor rows = x[0].reshape({-1, 4}), expert = x[1].flatten();
  at::Tensor out = at::zeros({rows.size(0), 3}, rows.options());
  for (int64_t e = 0; e < 3; ++e) {
    const at::Tensor chosen = expert.eq(e).nonzero().flatten();
    if (chosen.numel() == 0) continue;
    out = out.index_add(0, chosen, at::linear(rows.index_select(0, chosen).tanh(), w[e]));
  }
  return score(out.view({x[0].size(0), -1}));
}

const RegisterCase routed([] {
  Draw draw(23);
  return Case{"linear_of_routed_rows",
              {draw.normal({3, 4}), draw.normal({3, 4}), draw.normal({3, 4})},
              {draw.normal({N, 6, 4}), draw.integers(3, {N, 6})},
              mixture};
});

/// The library has grouped products in float32 and below only.
at::Tensor grouped_product(const at::Tensor& rows, const at::Tensor& weight, const at::Tensor& ends) {
  if (rows.scalar_type() != at::kDouble) return at::_grouped_mm(rows, weight, ends);
  Tensors products;
  for (int64_t e = 0, start = 0; e < weight.size(0); ++e) {
    const int64_t end = ends[e].item<int64_t>();
    products.push_back(at::mm(rows.slice(0, start, end), weight[e]));
    start = end;
  }
  return at::cat(products);
}

const RegisterCase grouped([] {
  Draw draw(24);
  return Case{"linear_by_groups_of_rows",
              {draw.normal({3, 8, 16})},
              {draw.normal({N, 6, 8}), draw.integers(3, {N, 6})},
              [](const Tensors& w, const Tensors& x) {
                const at::Tensor expert = x[1].flatten();
                const at::Tensor order = expert.argsort(/*stable=*/true, 0, false);
                const at::Tensor ends = expert.bincount({}, 3).cumsum(0).to(at::kInt);
                const at::Tensor sorted = grouped_product(x[0].reshape({-1, 8}).index_select(0, order), w[0], ends);
                const at::Tensor out = at::zeros({expert.size(0), 16}, sorted.options()).index_copy(0, order, sorted);
                return score(out.view({x[0].size(0), -1}));
              }};
});

const RegisterCase twice([] {
  Draw draw(25);
  return Case{"linear_used_twice", {draw.normal({4, 4})}, {draw.normal({N, 3, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(at::linear(x[0], w[0]).tanh(), w[0]));
              }};
});

const RegisterCase both_ways([] {
  Draw draw(26);
  return Case{"linear_used_both_ways", {draw.normal({3, 4})}, {draw.normal({N, 6, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::matmul(at::linear(x[0], w[0]).tanh(), w[0]));
              }};
});

const RegisterCase on_the_left([] {
  Draw draw(27);
  return Case{"linear_weight_on_the_left", {draw.normal({3, 4})}, {draw.normal({N, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::mm(w[0], x[0].t()).t());
              }};
});

const RegisterCase scaled([] {
  Draw draw(28);
  return Case{
      "linear_scaled_addmm", {draw.normal({4, 3}), draw.normal({3})}, {draw.normal({N, 4})}, [](const Tensors& w, const Tensors& x) {
        return score(at::addmm(w[1], x[0], w[0], 0.5, 2.0));
      }};
});

const RegisterCase scaled_left([] {
  Draw draw(29);
  return Case{"linear_scaled_addmm_weight_on_the_left",
              {draw.normal({3, 4}), draw.normal({3, 1})},
              {draw.normal({N, 4})},
              [](const Tensors& w, const Tensors& x) { return score(at::addmm(w[1], w[0], x[0].t(), 0.5, 2.0).t()); }};
});

const RegisterCase added_matrix([] {
  Draw draw(30);
  return Case{
      "linear_scaled_baddbmm",
      {draw.normal({2, 4, 3}), draw.normal({2, 1, 3})},
      {draw.normal({N, 2, 4})},
      [](const Tensors& w, const Tensors& x) { return score(at::baddbmm(w[1], x[0].transpose(0, 1), w[0], 0.5, 2.0).transpose(0, 1)); }};
});

const RegisterCase by_heads([] {
  Draw draw(31);
  return Case{"linear_by_heads", {draw.normal({2, 4, 3})}, {draw.normal({N, 6, 2, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::einsum("bthd,hdp->bthp", {x[0], w[0]}));
              }};
});

const RegisterCase by_heads_left([] {
  Draw draw(32);
  return Case{
      "linear_by_heads_weight_on_the_left", {draw.normal({2, 3, 4})}, {draw.normal({N, 2, 4})}, [](const Tensors& w, const Tensors& x) {
        return score(at::bmm(w[0], x[0].permute({1, 2, 0})).permute({2, 0, 1}));
      }};
});

const RegisterCase per_example_copies([] {
  Draw draw(33);
  return Case{
      "linear_by_heads_after_the_batch", {draw.normal({2, 4, 3})}, {draw.normal({N, 2, 6, 4})}, [](const Tensors& w, const Tensors& x) {
        return score(at::matmul(x[0], w[0]));
      }};
});

const RegisterCase vector([] {
  Draw draw(34);
  return Case{"linear_to_a_scalar", {draw.normal({4})}, {draw.normal({N, 6, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::matmul(x[0].tanh(), w[0]));
              }};
});

const RegisterCase pieces([] {
  Draw draw(35);
  return Case{"linear_with_pieces_of_one_weight", {draw.normal({12, 4})}, {draw.normal({N, 6, 4})}, [](const Tensors& w, const Tensors& x) {
                const auto parts = w[0].chunk(3);
                const at::Tensor q = at::linear(x[0], parts[0]), k = at::linear(x[0], parts[1]), v = at::linear(x[0], parts[2]);
                return score(at::matmul(at::softmax(at::matmul(q, k.transpose(1, 2)), -1), v));
              }};
});

const RegisterCase loop_over_examples([] {
  return Case{"linear_in_a_loop_over_examples", weight_and_bias(36), {Draw(37).normal({N, 6, 4})}, [](const Tensors& w, const Tensors& x) {
                Tensors losses;
                for (int64_t i = 0; i < x[0].size(0); ++i) losses.push_back(score(at::linear(x[0][i], w[0], w[1]).tanh().unsqueeze(0))[0]);
                return at::stack(losses);
              }};
});

/// The cast is part of the path: the weight is used in another precision than it is kept in.
const RegisterCase cast([] {
  Draw draw(38);
  return Case{"linear_of_a_cast_weight", {draw.normal({3, 4})}, {draw.normal({N, 6, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::linear(x[0].to(at::kDouble), w[0].to(at::kDouble)).to(x[0].scalar_type()));
              }};
});

/// As the last clusters of a small adaptive softmax: nothing to train, and nothing to fail on.
const RegisterCase without_features([] {
  Draw draw(40);
  return Case{"linear_without_features",
              {draw.normal({0, 4}), draw.normal({3, 0}), draw.normal({3})},
              {draw.normal({N, 6, 4})},
              [](const Tensors& w, const Tensors& x) { return score(at::linear(at::linear(x[0], w[0]), w[1], w[2])); }};
});

/// Every size is the number of examples: nothing may be told from shapes.
const RegisterCase square([] {
  Draw draw(39);
  return Case{
      "linear_where_all_sizes_are_equal",
      {draw.normal({5, 5}), draw.normal({5})},
      {draw.normal({N, 5, 5})},
      [](const Tensors& w, const Tensors& x) { return score(at::linear(x[0].transpose(0, 1).contiguous(), w[0], w[1]).transpose(0, 1)); }};
});

}  // namespace
}  // namespace ghostgrad::rules::tests
