// SPDX-License-Identifier: Apache-2.0
// Loss functions of the library, unreduced over the examples.
#include "tests/graph/cases.h"

#include <torch/autograd.h>

namespace ghostgrad::graph {
namespace {

using at::Tensor;
using enum Expect;

constexpr int64_t unreduced = at::Reduction::None;

TEST(LibraryLosses, ElementByElement) {
  judge({
      {"mse", resolved,
       [] {
         return per(at::mse_loss(features({B}), randn({B, 6}), unreduced));
       }},
      {"mse reduced over the batch", mixed,
       [] {
         const Tensor h = features({B});
         return at::mse_loss(h, randn({B, 6})) + h.sum(1);
       }},
      {"l1", resolved,
       [] {
         return per(at::l1_loss(features({B}), randn({B, 6}), unreduced));
       }},
      {"smooth l1", resolved,
       [] {
         return per(at::smooth_l1_loss(features({B}), randn({B, 6}), unreduced));
       }},
      {"huber", resolved,
       [] {
         return per(at::huber_loss(features({B}), randn({B, 6}), unreduced));
       }},
      {"binary cross entropy", resolved,
       [] {
         return per(at::binary_cross_entropy(features({B}).sigmoid(), uniform({B, 6}), {}, unreduced));
       }},
      {"binary cross entropy with logits", resolved,
       [] {
         return per(at::binary_cross_entropy_with_logits(features({B}), uniform({B, 6}), {}, {}, unreduced));
       }},
      {"kl divergence", resolved,
       [] {
         return per(at::kl_div(features({B}).log_softmax(1), uniform({B, 6}), unreduced));
       }},
      {"poisson", resolved,
       [] {
         return per(at::poisson_nll_loss(features({B}), randn({B, 6}).abs(), true, false, 1e-8, unreduced));
       }},
      {"soft margin", resolved,
       [] {
         return per(at::soft_margin_loss(features({B}), randn({B, 6}).sign(), unreduced));
       }},
      {"hinge embedding", resolved,
       [] {
         return per(at::hinge_embedding_loss(features({B}), at::ones({B, 6}, at::kDouble), 1., unreduced));
       }},
      {"gaussian", resolved,
       [] {
         const Tensor h = features({B}), v = features({B}).exp();
         return per(0.5 * (v.log() + (h - randn({B, 6})).pow(2) / v));
       }},
  });
}

TEST(LibraryLosses, RowByRow) {
  judge({
      {"cross entropy", resolved, [] { return at::cross_entropy_loss(features({B}), integers(0, 6, {B}), {}, unreduced); }},
      {"cross entropy with label smoothing", resolved,
       [] { return at::cross_entropy_loss(features({B}), integers(0, 6, {B}), {}, unreduced, -100, 0.1); }},
      {"cross entropy with soft labels", resolved,
       [] {
         return at::cross_entropy_loss(features({B}), uniform({B, 6}), {}, unreduced);
       }},
      {"cross entropy reduced over the batch", mixed,
       [] { return at::cross_entropy_loss(features({B}), integers(0, 6, {B})).expand({B}); }},
      {"cross entropy over positions", resolved,
       [] {
         return at::cross_entropy_loss(features({B, 3}).transpose(1, 2), integers(0, 6, {B, 3}), {}, unreduced).sum(1);
       }},
      {"cross entropy over pixels", resolved,
       [] {
         return per(at::cross_entropy_loss(features({B, 3, 5}).permute({0, 3, 1, 2}), integers(0, 6, {B, 3, 5}), {}, unreduced));
       }},
      {"cross entropy over flattened positions", resolved,
       [] {
         return at::cross_entropy_loss(features({B, 3}).view({-1, 6}), integers(0, 6, {3 * B}), {}, unreduced).view({B, 3}).sum(1);
       }},
      {"multi margin", resolved, [] { return at::multi_margin_loss(features({B}), integers(0, 6, {B}), 1, 1, {}, unreduced); }},
      {"multilabel margin", resolved,
       [] {
         return at::multilabel_margin_loss(features({B}), integers(0, 6, {B, 6}), unreduced);
       }},
      {"triplet margin", resolved,
       [] { return at::triplet_margin_loss(features({B}), features({B}), features({B}), 1., 2., 1e-6, false, unreduced); }},
      {"cosine similarity", resolved, [] { return at::cosine_similarity(features({B}), features({B})); }},
      {"ctc", resolved,
       [] {
         return at::ctc_loss(features({5, B}).log_softmax(2), integers(1, 6, {B, 2}), std::vector<int64_t>(B, 5),
                             std::vector<int64_t>(B, 2), 0, unreduced);
       }},
  });
}

TEST(LibraryLosses, GradientPenalty) {
  judge({
      {"norm of the input gradient of each example", resolved,
       [] {
         const Tensor x = randn({B, 6}).requires_grad_(true), out = at::tanh(x.matmul(parameter({6, 6}))).softmax(1).pow(2);
         const Tensor g = torch::autograd::grad({out.sum()}, {x}, {}, true, true)[0];
         return g.norm(2, 1);
       }},
      {"the same through a convolution", resolved,
       [] {
         const Tensor x = randn({B, 2, 6}).requires_grad_(true),
                      out = at::tanh(at::conv1d(x, parameter({3, 2, 3}))).slice(2, 1, 3).select(1, 0);
         return per(torch::autograd::grad({out.sum()}, {x}, {}, true, true)[0].pow(2));
       }},
  });
}

}  // namespace
}  // namespace ghostgrad::graph
