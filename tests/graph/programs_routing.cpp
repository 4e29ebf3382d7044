// SPDX-License-Identifier: Apache-2.0
// Random reads and writes through integer indices and masks.
#include "tests/graph/programs.h"

namespace ghostgrad::graph {
namespace {

using at::Tensor;
using Indices = c10::List<std::optional<Tensor>>;

Indices all_of(const Tensor& x) {
  Indices indices;
  for (int64_t d = 0; d < x.dim(); ++d) indices.push_back(std::optional<Tensor>(Tensor()));
  return indices;
}

Tensor mask_with_one(const Step& s) {
  Tensor mask = s.draft.mask(s.x.sizes(), 0.5);
  mask.view(-1)[0] = true;
  return mask;
}

Tensor advanced_index(const Step& s) {
  Indices indices = all_of(s.x);
  if (s.draft.chance(0.3)) {
    indices.set(s.d, s.draft.integers(s.n(), {2, 2}));
    return s.x.index(indices);
  }
  const int64_t m = s.draft.one_of({s.n(), s.x.size(s.e), 3});
  indices.set(s.d, s.draft.index(s.n(), m));
  if (s.d != s.e) indices.set(s.e, s.draft.index(s.x.size(s.e), m));
  return s.x.index(indices);
}

Tensor masked_rows(const Step& s) {
  Tensor mask = s.draft.mask({s.x.size(0)}, 0.6);
  mask[0] = true;
  return s.x.index({mask});
}

Tensor index_put(const Step& s) {
  const Tensor index = s.draft.index(s.n(), s.draft.one_of({s.n(), 1, 2}));
  Indices indices = all_of(s.x);
  indices.set(s.d, index);
  const Tensor values = s.x.index_select(s.d, s.draft.index(s.n(), index.size(0))).tanh();
  return s.x.index_put(indices, values, s.draft.chance(0.5));
}

Tensor masked_put(const Step& s) {
  const Tensor mask = mask_with_one(s);
  return s.x.index_put({mask}, s.x.index({mask}).sin());
}

Tensor index_add(const Step& s) {
  const Tensor index = s.draft.index(s.n(), s.n());
  return s.draft.chance(0.5) ? at::zeros_like(s.x).index_add(s.d, index, s.x) : s.x.index_add(s.d, index, s.x.exp());
}

Tensor rows_of(const Step& s, const Tensor& index) {
  std::vector<int64_t> sizes(s.x.dim(), 1);
  sizes[s.d] = s.n();
  return index.view(sizes).expand(s.x.sizes());
}

Tensor gather(const Step& s) {
  std::vector<int64_t> sizes = s.x.sizes().vec();
  if (s.draft.chance(0.3) && sizes[s.e] > 1) --sizes[s.e];
  return s.x.gather(s.d, s.draft.integers(s.n(), sizes));
}

Tensor masked_scatter(const Step& s) {
  const Tensor mask = mask_with_one(s);
  return s.x.masked_scatter(mask, s.draft.chance(0.5) ? s.x.tanh() : s.x.masked_select(mask).sin());
}

}  // namespace

const std::vector<ProgramOp>& routing_ops() {
  static const std::vector<ProgramOp> ops = {
      {"index_select",
       [](const Step& s) {
         return s.x.index_select(s.d, s.draft.index(s.n(), s.draft.one_of({s.n(), s.n(), 1, s.n() + 1})));
       }},
      {"advanced_index", advanced_index},
      {"masked_rows", masked_rows},
      {"mask_index", [](const Step& s) { return s.x.index({mask_with_one(s)}); }},
      {"masked_select", [](const Step& s) { return s.x.masked_select(mask_with_one(s)); }},
      {"masked_scatter", masked_scatter},
      {"index_put", index_put},
      {"masked_put", masked_put},
      {"index_add", index_add},
      {"index_copy", [](const Step& s) { return s.x.index_copy(s.d, at::randperm(s.n(), at::kLong), s.x.cos()); }},
      {"index_fill", [](const Step& s) { return s.x.index_fill(s.d, s.draft.index(s.n(), 1), 0.5); }},
      {"gather", gather},
      {"gather_rows", [](const Step& s) { return s.x.gather(s.d, rows_of(s, s.draft.index(s.n(), s.n()))); }},
      {"scatter", [](const Step& s) { return s.x.scatter(s.d, at::argsort(at::rand(s.x.sizes()), s.d), s.x.sin()); }},
      {"scatter_add", [](const Step& s) { return at::zeros_like(s.x).scatter_add(s.d, s.draft.integers(s.n(), s.x.sizes()), s.x); }},
      {"scatter_rows", [](const Step& s) { return at::zeros_like(s.x).scatter_add(s.d, rows_of(s, s.draft.index(s.n(), s.n())), s.x); }},
      {"scatter_reduce", [](const Step& s) { return s.x.scatter_reduce(s.d, s.draft.integers(s.n(), s.x.sizes()), s.x.exp(), "amax"); }},
      {"take", [](const Step& s) { return s.x.take(s.draft.index(s.x.numel(), s.x.numel())).view(s.x.sizes()); }},
  };
  return ops;
}

}  // namespace ghostgrad::graph
