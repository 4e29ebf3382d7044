// SPDX-License-Identifier: Apache-2.0
// In-place changes, views by stride, layers told the wrong axis.
#include "tests/graph/cases.h"

namespace ghostgrad::graph {
namespace {

using at::Tensor;
using enum Expect;

/// A copy of a fresh batch, changed in place by f(y, h).
Tensor changed(const std::function<void(Tensor&, const Tensor&)>& f) {
  const Tensor h = square();
  Tensor y = h.clone();
  f(y, h);
  return per(y.sin());
}

TEST(AdversarialMemory, InPlaceChangesOfViews) {
  judge({
      {"row 1 = row 0", mixed, [] { return changed([](Tensor& y, const Tensor& h) { y[1].copy_(h[0] * 2); }); }},
      {"row 1 = itself, changed", resolved, [] { return changed([](Tensor& y, const Tensor& h) { y[1].copy_(h[1] * 2); }); }},
      {"row 1 = 0", resolved, [] { return changed([](Tensor& y, const Tensor&) { y[1].zero_(); }); }},
      {"two rows scaled", resolved, [] { return changed([](Tensor& y, const Tensor&) { y.slice(0, 1, 3).mul_(2); }); }},
      {"a column scaled", resolved, [] { return changed([](Tensor& y, const Tensor&) { y.select(1, 2).mul_(2); }); }},
      {"the transposed view gets h", mixed, [] { return changed([](Tensor& y, const Tensor& h) { y.t().add_(h); }); }},
      {"the transposed view gets h.t()", resolved, [] { return changed([](Tensor& y, const Tensor& h) { y.t().add_(h.t()); }); }},
      {"a column times a column", resolved,
       [] { return changed([](Tensor& y, const Tensor& h) { y.select(1, 1).mul_(h.select(1, 0)); }); }},
      {"a column times a row", mixed, [] { return changed([](Tensor& y, const Tensor& h) { y.select(1, 1).mul_(h[0]); }); }},
      {"a block written by a mask", resolved, [] { return changed([](Tensor& y, const Tensor& h) { y.masked_fill_(h > 0, 0.5); }); }},
  });
}

TEST(AdversarialMemory, ViewsByStride) {
  judge({
      {"as_strided transpose", resolved,
       [] {
         return per(square().contiguous().as_strided({B, B}, {1, B}).sin());
       }},
      {"as_strided with overlapping rows", mixed,
       [] {
         return per(square().contiguous().as_strided({B, B}, {3, 1}).sin());
       }},
      {"as_strided from the second row on", mixed,
       [] {
         return per(square().contiguous().as_strided({B - 1, B}, {B, 1}, B - 3).sin()).repeat(2).slice(0, 0, B);
       }},
      {"as_strided from the second row on, rows whole", resolved,
       [] {
         return at::cat({per(square().contiguous().as_strided({B - 1, B}, {B, 1}, B).sin()), at::zeros({1}, at::kDouble)});
       }},
      {"inner columns, changed in place", resolved,
       [] {
         Tensor inner = square().clone().slice(1, 1, 3);
         inner.mul_(2);
         return per(inner.sin());
       }},
      {"pairs that each lie in one row", resolved,
       [] {
         return per(square().contiguous().as_strided({B, 2}, {B, 1}, B - 2).sin());
       }},
      {"pairs across the ends of rows", missed,
       [] {
         return per(square().contiguous().as_strided({B, 2}, {B - 1, 1}, B - 1).sin());
       }},
      {"sliding windows of features", resolved,
       [] {
         return per(square().contiguous().as_strided({B, 2, 3}, {B, 1, 1}).sin());
       }},
  });
}

TEST(AdversarialMemory, LayersToldTheWrongAxis) {
  judge({
      {"conv over examples as channels", mixed,
       [] {
         return per(at::conv1d(square().unsqueeze(0), parameter({B, B, 1}))[0]);
       }},
      {"conv over examples as positions", mixed,
       [] {
         return per(at::conv1d(square().t().unsqueeze(0), parameter({B, B, 3}), {}, 1, 1)[0], 1);
       }},
      {"grouped conv, a group for each example", resolved,
       [] {
         return per(at::conv1d(cube().reshape({1, B * B, B}), parameter({B * B, B, 1}), parameter({B * B}), 1, at::IntArrayRef{0}, 1, B)
                        .view({B, B, B}));
       }},
      {"grouped conv, two examples in a group", mixed,
       [] {
         return per(
             at::conv1d(cube().reshape({1, B * B, B}), parameter({B * B, 2 * B, 1}), {}, 1, at::IntArrayRef{0}, 1, 2).view({B, B, B}));
       }},
      {"group norm over the batch", mixed, [] { return per(at::group_norm(square().unsqueeze(0), 1)[0]); }},
      {"group norm, a group for each example", resolved,
       [] { return per(at::group_norm(square().unsqueeze(0), B, parameter({B}), parameter({B}))[0]); }},
      {"instance norm", resolved, [] { return per(at::instance_norm(cube(), {}, {}, {}, {}, true, 0.1, 1e-5, false)); }},
      {"batch norm in training mode", mixed, [] { return per(at::batch_norm(cube(), {}, {}, {}, {}, true, 0.1, 1e-5, false)); }},
      {"batch norm in evaluation mode", resolved,
       [] {
         return per(at::batch_norm(cube(), parameter({B}), parameter({B}), at::zeros({B}, at::kDouble), at::ones({B}, at::kDouble), false,
                                   0.1, 1e-5, false));
       }},
      {"layer norm over the whole batch", mixed,
       [] {
         return per(at::layer_norm(square(), {B, B}));
       }},
      {"layer norm over features", resolved, [] { return per(at::layer_norm(square(), {B}, parameter({B}), parameter({B}))); }},
      {"pooling over the batch", mixed,
       [] {
         return per(at::avg_pool1d(square().t(), 2).repeat({1, 2}), 1);
       }},
  });
}

}  // namespace
}  // namespace ghostgrad::graph
