// SPDX-License-Identifier: Apache-2.0
// Random parts and their reassembly, in-place changes of parts among them.
#include "tests/graph/programs.h"
#include <algorithm>

namespace ghostgrad::graph {
namespace {

using at::Tensor;

std::vector<int64_t> resized(const Step& s, int64_t size) {
  std::vector<int64_t> sizes = s.x.sizes().vec();
  sizes[s.d] = size;
  return sizes;
}

Tensor slice(const Step& s) {
  const int64_t start = s.draft.pick(s.n());
  const int64_t end = start + 1 + s.draft.pick(s.n() - start);
  return s.x.slice(s.d, start, end, s.draft.one_of({1, 1, 2}));
}

Tensor unbind(const Step& s) {
  std::vector<Tensor> parts = s.x.unbind(s.d);
  std::rotate(parts.begin(), parts.begin() + s.draft.pick(s.n()), parts.end());
  return at::stack(parts, s.draft.chance(0.5) ? s.d : s.draft.dim(s.x));
}

Tensor chunk(const Step& s) {
  std::vector<Tensor> parts = s.x.chunk(2, s.d);
  std::reverse(parts.begin(), parts.end());
  return at::cat(parts, s.d);
}

Tensor some_parts(const Step& s) {
  std::vector<int64_t> sizes{1, s.n() - 1};
  if (s.n() < 2) return {};
  const std::vector<Tensor> parts = s.x.split_with_sizes(sizes, s.d);
  return s.draft.chance(0.5) ? parts[0] * 2 : at::cat({parts[1].sin(), parts[0]}, s.d);
}

Tensor repeat(const Step& s) {
  std::vector<int64_t> repeats(s.x.dim(), 1);
  repeats[s.d] = 2;
  return s.x.repeat(repeats);
}

Tensor pad(const Step& s) {
  std::vector<int64_t> amounts(2 * s.x.dim(), 0);
  const size_t before = 2 * (s.x.dim() - 1 - s.d);
  amounts[before] = s.draft.one_of({0, 1, s.n() > 2 ? -1 : 0});
  amounts[before + 1] = s.draft.one_of({0, 1});
  return at::constant_pad_nd(s.x, amounts);
}

Tensor change_in_place(const Step& s) {
  Tensor y = s.x.clone();
  const int64_t kind = s.draft.pick(8), row = s.draft.pick(s.n());
  Tensor part = kind < 3 ? y.slice(s.d, row, row + 1) : y;
  switch (kind) {
    case 0:
      part.copy_(s.x.roll(1, s.e).slice(s.d, row, row + 1));
      break;
    case 1:
      part.zero_();
      break;
    case 2:
      part.mul_(s.x.flip(s.e).slice(s.d, row, row + 1));
      break;
    case 3:
      y.transpose(s.d, s.e).add_(s.x.transpose(s.d, s.e).tanh());
      break;
    case 4:
      if (!s.square()) return {};
      y.transpose(s.d, s.e).copy_(s.x.tanh());
      break;
    case 5:
      y.select(s.d, row).copy_(s.x.select(s.d, (row + 1) % s.n()).sin());
      break;
    case 6:
      y.slice(s.d, 0, row + 1).add_(s.x.slice(s.d, s.n() - row - 1, s.n()));
      break;
    default:
      y.select(s.d, row).mul_(2.0);
      break;
  }
  return y;
}

}  // namespace

const std::vector<ProgramOp>& part_ops() {
  static const std::vector<ProgramOp> ops = {
      {"slice", slice},
      {"select", [](const Step& s) { return s.x.dim() > 1 ? s.x.select(s.d, s.draft.pick(s.n())) : Tensor(); }},
      {"chunk", chunk},
      {"split", some_parts},
      {"unbind", unbind},
      {"cat_with_itself",
       [](const Step& s) {
         return at::cat({s.x, s.x.flip(s.d) * 2}, s.d);
       }},
      {"cat_parameter",
       [](const Step& s) {
         return at::cat({s.draft.parameter(resized(s, s.draft.one_of({1, 2}))), s.x}, s.d);
       }},
      {"cat_constant",
       [](const Step& s) {
         return at::cat({s.draft.constant(resized(s, s.draft.one_of({1, 2}))), s.x}, s.d);
       }},
      {"stack",
       [](const Step& s) {
         return at::stack({s.x, s.x.tanh()}, s.draft.pick(s.x.dim() + 1));
       }},
      {"repeat", repeat},
      {"repeat_interleave", [](const Step& s) { return s.x.repeat_interleave(2, s.d); }},
      {"flip", [](const Step& s) { return s.x.flip(s.d); }},
      {"roll",
       [](const Step& s) {
         return s.x.roll(s.draft.one_of({1, 2, -1}), s.d);
       }},
      {"pad", pad},
      {"change_in_place", change_in_place},
      {"change_in_place_again", change_in_place},
  };
  return ops;
}

}  // namespace ghostgrad::graph
