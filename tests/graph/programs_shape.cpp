// SPDX-License-Identifier: Apache-2.0
// Random views: other shapes, other orders, other strides.
#include "tests/graph/programs.h"
#include <algorithm>
#include <numeric>

namespace ghostgrad::graph {
namespace {

using at::Tensor;

Tensor split_dim(const Step& s) {
  std::vector<int64_t> sizes = s.x.sizes().vec();
  const std::vector<int64_t> factors = s.draft.factors(s.n());
  sizes.erase(sizes.begin() + s.d);
  sizes.insert(sizes.begin() + s.d, factors.begin(), factors.end());
  return s.x.reshape(sizes);
}

Tensor merge_dims(const Step& s) { return s.d + 1 < s.x.dim() ? s.x.flatten(s.d, s.d + 1) : Tensor(); }

Tensor permute(const Step& s) {
  std::vector<int64_t> order(s.x.dim());
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[s.draft.pick(static_cast<int64_t>(i))]);
  return s.x.permute(order);
}

Tensor as_strided(const Step& s) {
  const Tensor y = s.x.contiguous();
  std::vector<int64_t> sizes = y.sizes().vec(), strides = y.strides().vec();
  switch (s.draft.pick(4)) {
    case 0:  // transposed
      std::swap(sizes[s.d], sizes[s.e]);
      std::swap(strides[s.d], strides[s.e]);
      return y.as_strided(sizes, strides);
    case 1:  // one row less, from the first or the second on
      if (sizes[s.d] < 2) return {};
      --sizes[s.d];
      return y.as_strided(sizes, strides, s.draft.chance(0.5) ? strides[s.d] : 0);
    case 2:  // reshaped
      std::swap(sizes[s.d], sizes[s.e]);
      return y.as_strided(sizes, at::empty(sizes).strides());
    default:  // overlapping pairs
      return y.numel() > 2 ? y.as_strided({y.numel() - 1, 2}, {1, 1}) : Tensor();
  }
}

Tensor diagonal(const Step& s) {
  if (s.d == s.e) return {};
  const bool room = std::min(s.x.size(s.d), s.x.size(s.e)) > 1;
  return s.x.diagonal(room ? s.draft.one_of({0, 0, 1, -1}) : 0, s.d, s.e);
}

}  // namespace

const std::vector<ProgramOp>& shape_ops() {
  static const std::vector<ProgramOp> ops = {
      {"reshape", [](const Step& s) { return s.x.reshape(s.draft.factors(s.x.numel())); }},
      {"merge_dims", merge_dims},
      {"split_dim", split_dim},
      {"permute", permute},
      {"transpose", [](const Step& s) { return s.x.transpose(s.d, s.e); }},
      {"t", [](const Step& s) { return s.x.dim() <= 2 ? s.x.t() : Tensor(); }},
      {"contiguous", [](const Step& s) { return s.x.contiguous().clone(); }},
      {"unsqueeze", [](const Step& s) { return s.x.unsqueeze(s.draft.pick(s.x.dim() + 1)); }},
      {"squeeze", [](const Step& s) { return s.x.numel() > 1 ? s.x.squeeze() : Tensor(); }},
      {"expand_first", [](const Step& s) { return s.x.select(s.d, 0).unsqueeze(s.d).expand(s.x.sizes()); }},
      {"as_strided", as_strided},
      {"diagonal", diagonal},
      {"diag_embed",
       [](const Step& s) {
         return s.x.diag_embed(s.draft.one_of({0, 0, 1, -1}));
       }},
      {"unfold",
       [](const Step& s) {
         return s.n() >= 2 ? s.x.unfold(s.d, 2, s.draft.one_of({1, 2})) : Tensor();
       }},
      {"view_as_complex",
       [](const Step& s) { return s.x.size(-1) == 2 ? at::view_as_real(at::view_as_complex(s.x.contiguous()) * 2) : Tensor(); }},
  };
  return ops;
}

}  // namespace ghostgrad::graph
