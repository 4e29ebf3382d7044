// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/layout.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include <ATen/TensorUtils.h>
#include <ATen/ops/zeros.h>

namespace ghostgrad::graph {
namespace {

/// The first and the last address.
std::pair<int64_t, int64_t> span_of(const Layout& layout) {
  int64_t last = layout.offset;
  for (size_t dim = 0; dim < layout.sizes.size(); ++dim) last += (layout.sizes[dim] - 1) * layout.strides[dim];
  return {layout.offset, last};
}

bool in_intervals(const std::vector<Layout>& views) {
  std::vector<std::pair<int64_t, int64_t>> spans;
  for (const Layout& view : views) spans.push_back(span_of(view));
  std::sort(spans.begin(), spans.end());
  const auto overlaps = [](const auto& one, const auto& next) { return next.first <= one.second; };
  return std::adjacent_find(spans.begin(), spans.end(), overlaps) == spans.end();
}

}  // namespace

Layout Layout::of(const Shape& sizes) {
  Layout layout{sizes, Shape(sizes.size(), 1)};
  for (size_t dim = sizes.size(); dim-- > 1;) layout.strides[dim - 1] = layout.strides[dim] * sizes[dim];
  return layout;
}

void Layout::swap(int64_t one, int64_t other) {
  std::swap(sizes[one], sizes[other]);
  std::swap(strides[one], strides[other]);
}

void Layout::permute(const Shape& dims) {
  const Layout before = *this;
  for (size_t dim = 0; dim < dims.size(); ++dim) {
    sizes[dim] = before.sizes[dims[dim]];
    strides[dim] = before.strides[dims[dim]];
  }
}

void Layout::narrow(int64_t dim, int64_t start, int64_t count, int64_t step) {
  offset += start * strides[dim];
  sizes[dim] = count;
  strides[dim] *= step;
}

void Layout::select(int64_t dim, int64_t index) {
  offset += index * strides[dim];
  sizes.erase(sizes.begin() + dim);
  strides.erase(strides.begin() + dim);
}

bool Layout::view(const Shape& to) {
  auto found = at::detail::computeStride(sizes, strides, to);
  if (!found) return false;
  sizes = to;
  strides.assign(found->begin(), found->end());
  return true;
}

Layout Layout::squeezed() const {
  Layout left;
  left.offset = offset;
  for (size_t dim = 0; dim < sizes.size(); ++dim) {
    if (sizes[dim] == 1) continue;
    left.sizes.push_back(sizes[dim]);
    left.strides.push_back(strides[dim]);
  }
  return left;
}

int64_t Layout::numel() const { return std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>()); }

bool disjoint(const std::vector<Layout>& views, int64_t numel) {
  std::vector<Layout> some;
  std::copy_if(views.begin(), views.end(), std::back_inserter(some), [](const Layout& view) { return view.numel() > 0; });
  if (in_intervals(some)) return true;
  const at::Tensor shown = at::zeros({numel}, at::kBool);
  for (const Layout& view : some) {
    const at::Tensor here = shown.as_strided(view.sizes, view.strides, view.offset);
    if (here.any().item<bool>()) return false;
    here.fill_(true);
  }
  return true;
}

}  // namespace ghostgrad::graph
