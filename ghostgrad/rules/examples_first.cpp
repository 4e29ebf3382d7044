// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/examples_first.h"

#include <algorithm>

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/util/accumulate.h>

#include "ghostgrad/rules/term.h"

namespace ghostgrad::rules {
namespace {

/// [B, longest] row numbers of each example, -1 where it has fewer.
at::Tensor rows_by_example(const std::vector<int32_t>& owners, int64_t examples) {
  std::vector<int64_t> counts(examples, 0);
  for (int32_t owner : owners) {
    if (owner >= 0) ++counts[owner];
  }
  const int64_t longest = std::max<int64_t>(1, *std::max_element(counts.begin(), counts.end()));
  at::Tensor rows = at::full({examples, longest}, -1, at::kLong);
  int64_t* row = rows.data_ptr<int64_t>();
  std::fill(counts.begin(), counts.end(), 0);
  for (size_t j = 0; j < owners.size(); ++j) {
    if (owners[j] >= 0) row[owners[j] * longest + counts[owners[j]]++] = static_cast<int64_t>(j);
  }
  return rows;
}

/// [..., S, ...] -> [B, longest, ... without S ...]
at::Tensor gather(const at::Tensor& tensor, const graph::Axis& axis, int64_t examples) {
  const at::Tensor rows = rows_by_example(*axis.owners, examples).to(tensor.device());
  const at::Tensor first = tensor.movedim(axis.dim, 0);
  const at::Tensor missing = rows.lt(0);
  at::Tensor picked = first.index_select(0, rows.clamp_min(0).flatten());
  std::vector<int64_t> sizes{rows.size(0), rows.size(1)};
  sizes.insert(sizes.end(), first.sizes().begin() + 1, first.sizes().end());
  std::vector<int64_t> mask(sizes.size(), 1);
  mask[0] = sizes[0];
  mask[1] = sizes[1];
  return picked.view(sizes).masked_fill_(missing.view(mask), 0);
}

/// [..., a*B*b, ...] -> [B, ..., a, b, ...]
at::Tensor split(const at::Tensor& tensor, const graph::Axis& axis, int64_t examples) {
  std::vector<int64_t> sizes(tensor.sizes().begin(), tensor.sizes().begin() + axis.dim);
  sizes.insert(sizes.end(), {tensor.size(axis.dim) / examples / axis.inner, examples, axis.inner});
  sizes.insert(sizes.end(), tensor.sizes().begin() + axis.dim + 1, tensor.sizes().end());
  return tensor.reshape(sizes).movedim(axis.dim + 1, 0);
}

std::optional<at::Tensor> sum_along(const at::Tensor& grads, const graph::Axis& axis, int64_t examples, const graph::Shape& shape) {
  const int64_t extra = grads.dim() - static_cast<int64_t>(shape.size());
  const auto size_below = [&](int64_t d) { return d < extra ? 1 : shape[d - extra]; };
  if (extra < 0 || (axis.dim >= extra && shape[axis.dim - extra] != 1)) return std::nullopt;
  // Dimensions of `first` after the example: those of grads, with the example's own replaced by what is left of it (a and b, or the rows).
  const at::Tensor exact = at_least_float(grads);
  const at::Tensor first = axis.owners ? gather(exact, axis, examples) : split(exact, axis, examples);
  std::vector<int64_t> reduced;
  int64_t at = 1;
  if (axis.owners) reduced.push_back(at++);
  for (int64_t d = 0; d < grads.dim(); ++d) {
    if (d != axis.dim) {
      if (size_below(d) == 1) reduced.push_back(at);
      ++at;
    } else if (!axis.owners) {
      reduced.insert(reduced.end(), {at, at + 1});
      at += 2;
    }
  }
  std::vector<int64_t> sizes{examples};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return first.sum(reduced).reshape(sizes);
}

}  // namespace

at::Tensor examples_first(const at::Tensor& tensor, const graph::Axis& axis, int64_t examples, int64_t rest_from) {
  const at::Tensor first = axis.owners ? gather(tensor, axis, examples) : split(tensor, axis, examples);
  const auto positions = first.sizes().slice(1, first.dim() - 1 - (tensor.dim() - rest_from));
  std::vector<int64_t> sizes{examples, c10::multiply_integers(positions)};  // not -1: a layer may have no features
  sizes.insert(sizes.end(), tensor.sizes().begin() + rest_from, tensor.sizes().end());
  return first.reshape(sizes);
}

std::optional<at::Tensor> sum_to_shape(const at::Tensor& grads, const graph::Ownership& ownership, int64_t examples,
                                       const graph::Shape& shape) {
  if (ownership.kind == graph::Ownership::Kind::single) {  // a dimension in front, which belongs to that example
    const auto owner = std::make_shared<const std::vector<int32_t>>(1, static_cast<int32_t>(ownership.example));
    return sum_along(grads.unsqueeze(0), {0, 1, examples > 1 ? owner : nullptr}, examples, shape);
  }
  const auto axis = graph::axis_of(ownership, graph::Shape(grads.sizes()), examples);
  return axis ? sum_along(grads, *axis, examples, shape) : std::nullopt;
}

}  // namespace ghostgrad::rules
