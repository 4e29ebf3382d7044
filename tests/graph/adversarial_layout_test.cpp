// SPDX-License-Identifier: Apache-2.0
// Graphs where shapes do not tell the example axis: transposes of square tensors, broadcasting with equal sizes, splits and merges.
#include "tests/graph/cases.h"

namespace ghostgrad::graph {
namespace {

using at::Tensor;
using enum Expect;

/// [4, 6], whose flattening can be cut elsewhere than at the examples.
Tensor six() { return at::tanh(randn({4, 6}).matmul(parameter({6, 6}))); }

Tensor centred(const Tensor& x, int64_t dim) { return x - x.mean(dim, true); }

TEST(AdversarialLayout, Transposes) {
  judge({
      {"transpose(0, 1), losses along dim 0", resolved, [] { return per(cube().transpose(0, 1).sin()); }},
      {"h + h.transpose(0, 1)", mixed,
       [] {
         const Tensor h = cube();
         return per(h + h.transpose(0, 1));
       }},
      {"2-d h + h.t()", mixed,
       [] {
         const Tensor h = square();
         return per(h + h.t());
       }},
      {"where(h, h.t())", mixed,
       [] {
         const Tensor h = square();
         return per(at::where(h > 0, h, h.t()));
       }},
  });
}

TEST(AdversarialLayout, SplitsAndMerges) {
  judge({
      {"merge and re-split [B, T] as [T, B]", resolved,
       [] {
         const Tensor h = at::tanh(randn({4, 4, 6}).matmul(parameter({6, 6}))).reshape({16, 6}).view({4, 4, 6});
         return per(h.transpose(0, 1).reshape({16, 6}).view({4, 4, 6}), 1);
       }},
      {"examples along columns, across the rows of [4, 6]", resolved,
       [] {
         return per(six().reshape({6, 4}).sum(0).view({4, 1}));
       }},
      {"view [4, 6] -> [2, 12] -> [4, 6]", resolved,
       [] {
         return per(six().reshape({2, 12}).sin().reshape({4, 6}));
       }},
      {"softmax over a view that holds two examples a row", mixed,
       [] {
         return per(six().reshape({2, 12}).softmax(1).reshape({4, 6}));
       }},
      {"centring over half of the examples", mixed,
       [] {
         return per(centred(six().view({2, 2, 6}), 1).reshape({4, 6}));
       }},
      {"flip of half of the examples", missed,
       [] {
         return per(six().view({2, 2, 6}).flip(1).reshape({4, 6}));
       }},
      {"[4, 6] -> [8, 3] -> transposed -> [4, 6]", missed,
       [] {
         return per(six().reshape({8, 3}).t().reshape({4, 6}));
       }},
      {"permuted losses", resolved,
       [] {
         return per(square()).index({numbers({2, 0, 3, 1})});
       }},
      {"losses that share their neighbours", mixed,
       [] {
         const Tensor l = per(square());
         return l + l.roll(1);
       }},
      {"examples in the middle of a merged dimension", resolved,
       [] {
         return per(cube().reshape({B * B, B}).sin().view({B, B, B}), 1);
       }},
  });
}

TEST(AdversarialLayout, BroadcastingWithEqualSizes) {
  judge({
      {"[B, d] + [d] with B == d", resolved, [] { return per(square() + parameter({B})); }},
      {"[B, d] + a row of itself", mixed,
       [] {
         const Tensor h = square();
         return per(h + h[0]);
       }},
      {"[B, 1] * [1, B]", mixed,
       [] {
         const Tensor h = square();
         return per(h.slice(1, 0, 1) * h.slice(0, 0, 1).tanh());
       }},
      {"[B, 1] * [1, B] of one vector", mixed,
       [] {
         const Tensor h = square();
         return per(h.slice(1, 0, 1) * h.slice(1, 0, 1).t());
       }},
      {"h + h.sum(0, keepdim)", mixed,
       [] {
         const Tensor h = square();
         return per(h + h.sum(0, true));
       }},
      {"expand of one example to all", mixed,
       [] {
         return per(square().slice(0, 0, 1).expand({B, B}).sin());
       }},
      {"mean over the batch, expanded", mixed,
       [] {
         const Tensor h = square();
         return per(h * h.mean(0, true).expand_as(h));
       }},
      {"h times its detached mean", resolved,
       [] {
         const Tensor h = square();
         return per(h * h.mean(0, true).detach());
       }},
  });
}

TEST(AdversarialLayout, ProductsOfTheBatchWithItself) {
  judge({
      {"h @ h.T", mixed,
       [] {
         const Tensor h = square();
         return per(h.matmul(h.t()));
       }},
      {"h.T @ h", mixed,
       [] {
         const Tensor h = square();
         return per(h.t().matmul(h));
       }},
      {"einsum bij,bkj->bik", resolved,
       [] {
         const Tensor h = cube();
         return per(at::einsum("bij,bkj->bik", {h, h}));
       }},
      {"einsum bij,kij->bk", mixed,
       [] {
         const Tensor h = cube();
         return per(at::einsum("bij,kij->bk", {h, h.sin()}));
       }},
      {"attention over the batch", mixed,
       [] {
         const Tensor h = square().unsqueeze(0).unsqueeze(0);
         return per(at::scaled_dot_product_attention(h, h, h)[0][0]);
       }},
      {"attention with examples as heads", resolved,
       [] {
         const Tensor h = cube().unsqueeze(0);
         return per(at::scaled_dot_product_attention(h, h, h)[0]);
       }},
      {"attention with examples as positions", mixed,
       [] {
         const Tensor h = cube().unsqueeze(0).transpose(1, 2);
         return per(at::scaled_dot_product_attention(h, h, h).transpose(1, 2)[0]);
       }},
      {"a batch of matrices times one matrix", resolved,
       [] {
         return per(cube().matmul(parameter({B, B})));
       }},
  });
}

}  // namespace
}  // namespace ghostgrad::graph
