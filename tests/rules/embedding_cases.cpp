// SPDX-License-Identifier: Apache-2.0
// Tables of rows: repeated tokens, padding, any layout of the positions, bags, selection and indexing, tables used twice or as a head.
#include "tests/rules/harness.h"

namespace ghostgrad::rules::tests {
namespace {

constexpr int64_t N = kMostExamples;
constexpr int64_t V = 4;  // few rows: tokens repeat within an example and between examples

at::Tensor table(uint64_t seed) { return Draw(seed).normal({V, 3}); }
at::Tensor tokens(uint64_t seed, at::IntArrayRef sizes) { return Draw(seed).integers(V, sizes); }

const RegisterCase one_token([] {
  return Case{"embedding_of_one_token", {table(300)}, {tokens(301, {N})}, [](const Tensors& w, const Tensors& x) {
                return score(at::embedding(w[0], x[0]));
              }};
});

const RegisterCase repeated([] {
  return Case{"embedding_of_repeated_tokens", {table(302)}, {tokens(303, {N, 7})}, [](const Tensors& w, const Tensors& x) {
                return score(at::embedding(w[0], x[0]).tanh());
              }};
});

const RegisterCase padded([] {
  return Case{"embedding_with_a_padding_token", {table(304)}, {tokens(305, {N, 7})}, [](const Tensors& w, const Tensors& x) {
                return score(at::embedding(w[0], x[0], /*padding_idx=*/1));
              }};
});

const RegisterCase sequence_first([] {
  return Case{"embedding_sequence_first", {table(306)}, {tokens(307, {N, 7})}, [](const Tensors& w, const Tensors& x) {
                return score(at::embedding(w[0], x[0].t().contiguous()).transpose(0, 1));
              }};
});

const RegisterCase grid([] {
  return Case{"embedding_of_a_grid", {table(308)}, {tokens(309, {N, 2, 3})}, [](const Tensors& w, const Tensors& x) {
                return score(at::embedding(w[0], x[0]));
              }};
});

const RegisterCase flattened([] {
  return Case{"embedding_of_flattened_tokens", {table(310)}, {tokens(311, {N, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(at::embedding(w[0], x[0].flatten().to(at::kInt)).view({x[0].size(0), -1}));
              }};
});

const RegisterCase packed([] {
  return Case{"embedding_of_packed_tokens",
              {table(312)},
              {tokens(313, {N, 6}), Draw(314).integers(6, {N}) + 1},
              [](const Tensors& w, const Tensors& x) {
                const at::Tensor kept = at::arange(6).unsqueeze(0) < x[1].unsqueeze(1);
                const at::Tensor rows = at::embedding(w[0], x[0].index({kept}));
                return at::zeros({x[1].size(0)}, rows.options()).index_add(0, kept.nonzero().select(1, 0), score(rows));
              }};
});

const RegisterCase sparse([] {
  return Case{"embedding_with_sparse_gradients", {table(315)}, {tokens(316, {N, 7})}, [](const Tensors& w, const Tensors& x) {
                return score(at::embedding(w[0], x[0], 1, false, /*sparse=*/true));
              }};
});

const RegisterCase twice([] {
  return Case{"embedding_used_twice", {table(317)}, {tokens(318, {N, 4}), tokens(319, {N, 2})}, [](const Tensors& w, const Tensors& x) {
                return score(at::embedding(w[0], x[0]).sum(1) * at::embedding(w[0], x[1]).sum(1));
              }};
});

const RegisterCase tied([] {
  return Case{
      "embedding_tied_to_a_head", {table(320), Draw(321).normal({3, 3})}, {tokens(322, {N, 4})}, [](const Tensors& w, const Tensors& x) {
        return score(at::linear(at::linear(at::embedding(w[0], x[0]), w[1]).tanh(), w[0]));
      }};
});

const RegisterCase selected([] {
  return Case{"rows_by_index_select", {table(323)}, {tokens(324, {N, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(w[0].index_select(0, x[0].flatten()).view({x[0].size(0), -1}));
              }};
});

const RegisterCase columns([] {
  return Case{"columns_by_index_select",
              {Draw(325).normal({3, V})},
              {tokens(326, {N, 4})},
              [](const Tensors& w, const Tensors& x) {
                return score(w[0].index_select(1, x[0].flatten()).t().reshape({x[0].size(0), -1}));
              },
              {"IndexSelectBackward0"}};
});

const RegisterCase indexed([] {
  return Case{"rows_by_index", {Draw(327).normal({V, 2, 3})}, {tokens(328, {N, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(w[0].index({x[0]}).tanh());
              }};
});

const RegisterCase from_the_end([] {
  return Case{"rows_by_negative_index", {table(329)}, {tokens(330, {N, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(w[0].index({x[0] - V}));
              }};
});

const RegisterCase scalars([] {
  return Case{"scalars_by_index", {Draw(331).normal({V})}, {tokens(332, {N, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(w[0].index({x[0]}));
              }};
});

const RegisterCase two_indices([] {
  return Case{"elements_by_two_indices",
              {Draw(333).normal({V, V})},
              {tokens(334, {N, 4}), tokens(335, {N, 4})},
              [](const Tensors& w, const Tensors& x) {
                return score(w[0].index({x[0], x[1]}));
              },
              {"IndexBackward0"}};
});

/// Bags of three tokens, mode 0 sum, 1 mean, 2 max.
Case bags(const std::string& name, int64_t mode, std::vector<std::string> fallback = {}) {
  return {"bags_by_" + name,
          {table(336)},
          {tokens(337, {N, 3})},
          [mode](const Tensors& w, const Tensors& x) {
            const at::Tensor offsets = at::arange(0, 3 * x[0].size(0), 3);
            return score(std::get<0>(at::embedding_bag(w[0], x[0].flatten(), offsets, false, mode, false, {}, false, /*padding_idx=*/1)));
          },
          std::move(fallback)};
}
const RegisterCase summed([] { return bags("sum", 0); });
const RegisterCase averaged([] { return bags("mean", 1); });
const RegisterCase largest([] { return bags("max", 2, {"EmbeddingBagBackward0"}); });

const RegisterCase weighted([] {
  return Case{
      "bags_of_weighted_tokens", {table(338)}, {tokens(339, {N, 3}), Draw(340).normal({N, 3})}, [](const Tensors& w, const Tensors& x) {
        const at::Tensor offsets = at::arange(0, 3 * x[0].size(0), 3);
        return score(std::get<0>(at::embedding_bag(w[0], x[0].flatten(), offsets, false, 0, false, x[1].flatten())));
      }};
});

/// Bags of 0 to 5 tokens, the end of the last given too.
const RegisterCase uneven([] {
  return Case{
      "bags_of_uneven_size", {table(341)}, {tokens(342, {N, 5}), Draw(343).integers(6, {N})}, [](const Tensors& w, const Tensors& x) {
        const at::Tensor kept = at::arange(5).unsqueeze(0) < x[1].unsqueeze(1);
        const at::Tensor offsets = at::cat({at::zeros({1}, at::kLong), x[1].cumsum(0)});
        return score(std::get<0>(at::embedding_bag(w[0], x[0].index({kept}), offsets, false, 1, false, {}, /*include_last_offset=*/true)));
      }};
});

}  // namespace
}  // namespace ghostgrad::rules::tests
