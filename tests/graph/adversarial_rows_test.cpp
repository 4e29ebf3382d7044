// SPDX-License-Identifier: Apache-2.0
// Ops along the example axis: those that move rows keep their owners, those that combine rows mix.
#include "tests/graph/cases.h"

namespace ghostgrad::graph {
namespace {

using at::Tensor;
using enum Expect;

Tensor permutation() { return numbers({2, 0, 3, 1}); }

TEST(AdversarialRows, MovedAndCombined) {
  judge({
      {"flip", resolved, [] { return per(square().flip(0).sin()); }},
      {"roll", resolved, [] { return per(square().roll(1, 0).sin()); }},
      {"roll of the flattened tensor", missed, [] { return per(square().roll(3).sin()); }},
      {"h + rolled h", mixed,
       [] {
         const Tensor h = square();
         return per(h + h.roll(1, 0));
       }},
      {"cumsum", mixed, [] { return per(square().cumsum(0)); }},
      {"softmax", mixed, [] { return per(square().softmax(0)); }},
      {"softmax along dim -2", mixed, [] { return per(square().softmax(-2)); }},
      {"division by the norm of a column", mixed,
       [] {
         const Tensor h = square();
         return per(h / h.norm(2, 0));
       }},
      {"sort", missed, [] { return per(std::get<0>(square().sort(0))); }},
      {"topk", missed, [] { return per(std::get<0>(square().topk(4, 0))); }},
      {"unfold of neighbours", mixed, [] { return per(square().unfold(0, 2, 1)); }},
      {"fft over examples", mixed, [] { return per(at::real(at::fft_fft(square(), std::nullopt, 0))); }},
      {"fft over features", resolved, [] { return per(at::real(at::fft_fft(square(), std::nullopt, 1))); }},
      {"tril", resolved, [] { return per(square().tril()); }},
      {"diagonal", resolved, [] { return square().diagonal().sin(); }},
      {"diagonal of a cube", resolved, [] { return per(cube().diagonal(0, 0, 1), 1); }},
      {"gather along features", resolved,
       [] {
         return per(square().gather(1, integers(0, B, {B, B})));
       }},
      {"gather along examples", mixed,
       [] {
         return per(square().gather(0, integers(0, B, {B, B})));
       }},
  });
}

TEST(AdversarialRows, PutTogetherAndTakenApart) {
  judge({
      {"cat with itself, folded", resolved,
       [] {
         const Tensor h = square();
         return per(at::cat({h, h.sin()}, 0).view({2, B, B}).sum(0));
       }},
      {"cat with itself, folded otherwise", mixed,
       [] {
         const Tensor h = square();
         return per(at::cat({h, h.sin()}, 0).view({B, 2, B}).sum(1));
       }},
      {"two views of each example, multiplied", resolved,
       [] {
         const Tensor h = square(), z = at::cat({h, h.cos()}, 0);
         return per(z.slice(0, 0, B) * z.slice(0, B, 2 * B));
       }},
      {"repeat_interleave, grouped", resolved,
       [] {
         return per(square().repeat_interleave(2, 0).view({B, 2, B}).sum(1));
       }},
      {"repeat_interleave, grouped otherwise", mixed,
       [] {
         return per(square().repeat_interleave(2, 0).view({2, B, B}).sum(0));
       }},
      {"repeat, grouped", resolved,
       [] {
         return per(square().repeat({2, 1}).view({2, B, B}).sum(0));
       }},
      {"two halves of the batch, added", mixed,
       [] {
         const auto p = square().chunk(2, 0);
         return per(at::cat({p[0] + p[1], p[0] - p[1]}, 0));
       }},
      {"two halves of the batch, swapped", resolved,
       [] {
         const auto p = square().chunk(2, 0);
         return per(at::cat({p[1], p[0]}, 0));
       }},
      {"losses of one-example forwards", resolved,
       [] {
         const Tensor x = randn({B, B}), w = parameter({B, B});
         std::vector<Tensor> losses;
         for (int64_t i = 0; i < B; ++i) losses.push_back(at::tanh(x[i].matmul(w)).sum());
         return at::stack(losses);
       }},
      {"a skip between one-example forwards", mixed,
       [] {
         const Tensor x = randn({B, B}), w = parameter({B, B});
         std::vector<Tensor> losses;
         for (int64_t i = 0; i < B; ++i)
           losses.push_back(at::tanh(x[i].matmul(w)).sum() + (i ? losses.back() : at::zeros({}, at::kDouble)));
         return at::stack(losses);
       }},
  });
}

TEST(AdversarialRows, RoutedByIndices) {
  judge({
      {"rows sorted by a data value", resolved,
       [] {
         const Tensor h = square();
         return per(h.index({h.detach().sum(1).argsort()}).sin());
       }},
      {"index with duplicates", mixed,
       [] {
         return per(square().index({numbers({1, 1, 2, 0})}).sin());
       }},
      {"index by a permutation", resolved, [] { return per(square().index({permutation()}).sin()); }},
      {"index_select by a permutation", resolved, [] { return per(square().index_select(0, permutation()).sin()); }},
      {"rows of others written over", mixed,
       [] {
         const Tensor h = square();
         return per(h.index_put({permutation().slice(0, 0, 2)}, h.slice(0, 0, 2).cos()));
       }},
      {"own rows written over", resolved,
       [] {
         const Tensor h = square(), i = permutation().slice(0, 0, 2);
         return per(h.index_put({i}, h.index({i}).cos()));
       }},
      {"scatter_add to any rows", missed,
       [] {
         const Tensor h = square();
         return per(at::zeros_like(h).scatter_add(0, integers(0, B, {B, B}), h));
       }},
      {"user-level losses by index_add", resolved,
       [] {
         return at::zeros({B}, at::kDouble).index_add(0, numbers({0, 0, 1, 2, 3, 3}), features({6}).sum(1));
       }},
      {"user-level losses by scatter_add", resolved,
       [] {
         return at::zeros({B}, at::kDouble).scatter_add(0, numbers({0, 0, 1, 2, 3, 3}), features({6}).sum(1));
       }},
      {"one row for two users", mixed,
       [] {
         return at::zeros({B}, at::kDouble).index_add(0, numbers({0, 0, 1, 2, 3, 3}), per(features({6}).cumsum(0)));
       }},
      {"unpad by a mask, pad by masked_scatter", resolved,
       [] {
         const Tensor mask = at::arange(4).unsqueeze(0) < numbers({4, 2, 3, 1}).unsqueeze(1);
         const Tensor rows = features({B, 4}).index({mask}).tanh();
         return per(at::zeros({B, 4, 6}, at::kDouble).masked_scatter(mask.unsqueeze(-1).expand({B, 4, 6}), rows));
       }},
  });
}

TEST(AdversarialRows, MixturesOfExperts) {
  judge({
      {"index_add of each expert's rows", resolved,
       [] {
         const Tensor x = randn({B, 4, 6}).view({-1, 6}), top = x.slice(1, 0, 3).argmax(1);
         Tensor out = at::zeros_like(x);
         for (int64_t k = 0; k < 3; ++k) {
           const Tensor rows = (top == k).nonzero().squeeze(1);
           out = out.index_add(0, rows, x.index({rows}).matmul(parameter({6, 6})));
         }
         return per(out.view({B, 4, 6}).pow(2));
       }},
      {"in-place writes under a mask", resolved,
       [] {
         const Tensor x = randn({B, 4, 6}).view({-1, 6}), top = x.slice(1, 0, 3).argmax(1);
         Tensor out = at::zeros_like(x);
         for (int64_t k = 0; k < 3; ++k) out.index_put_({top == k}, x.index({top == k}).matmul(parameter({6, 6})));
         return per(out.view({B, 4, 6}).pow(2));
       }},
      {"rows sorted by expert, split, put back by scatter", resolved,
       [] {
         const Tensor x = features({B, 4}).view({-1, 6}), top = x.slice(1, 0, 2).argmax(1), order = top.argsort(true);
         const int64_t first = (top == 0).sum().item<int64_t>();
         const auto parts = x.index({order}).split_with_sizes({first, 16 - first});
         const Tensor y = at::cat({parts[0].matmul(parameter({6, 6})), parts[1].matmul(parameter({6, 6}))});
         return per(at::zeros_like(y).scatter(0, order.unsqueeze(1).expand({16, 6}), y).view({B, 4, 6}).pow(2));
       }},
      {"rows put back by index_copy", resolved,
       [] {
         const Tensor x = features({B, 4}).view({-1, 6}), order = at::randperm(16, at::kLong);
         const Tensor y = x.index({order}).matmul(parameter({6, 6}));
         return per(at::empty_like(y).index_copy(0, order, y).view({B, 4, 6}).pow(2));
       }},
  });
}

}  // namespace
}  // namespace ghostgrad::graph
