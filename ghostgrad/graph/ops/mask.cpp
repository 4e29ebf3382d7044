// SPDX-License-Identifier: Apache-2.0
// Elements picked by a mask and put back by one: unpadding and padding of ragged batches.
#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

/// Flat positions of the mask's true elements, in order.
at::Tensor positions(const at::Tensor& mask, at::IntArrayRef sizes) {
  return mask.to(at::kCPU, at::kBool).expand(sizes).reshape(-1).nonzero().reshape(-1).contiguous();
}

/// y [n] = x[mask] in row-major order.
const Registered masked_select = transfers<MaskedSelectBackward0>([](const auto& node, Transfer& t) {
  if (!t.wanted(0)) return;
  const at::Tensor mask = node.mask_.unpack(t.node());
  const std::vector<int64_t> sizes = at::infer_size(t.edge_shape(), mask.sizes());
  const at::Tensor picked = positions(mask, sizes);
  const Shape shape = as_shape(sizes);
  const auto of_y = to_elements(t.in(), t.shape(), t.examples());
  if (picked.numel() != static_cast<int64_t>(of_y.size())) return;
  const Owners owners = into_bins(of_y, picked.const_data_ptr<int64_t>(), count(shape));
  if (owners) t.set(0, reduced_to(from_elements(*owners, shape, t.examples()), shape, t.edge_shape(), t.examples()));
});

/// x[mask] = the first elements of source: edges x and source.
const Registered masked_scatter = transfers<MaskedScatterBackward0>([](const auto& node, Transfer& t) {
  t.elementwise(0);
  if (!t.wanted(1)) return;
  const at::Tensor picked = positions(node.mask_.unpack(t.node()), t.shape());
  const auto of_x = to_elements(t.in(), t.shape(), t.examples());
  std::vector<int32_t> of_source(count(t.edge_shape(1)), -1);
  if (picked.numel() > static_cast<int64_t>(of_source.size())) return;
  for (int64_t j = 0; j < picked.numel(); ++j) of_source[j] = of_x[picked.const_data_ptr<int64_t>()[j]];
  t.set(1, from_elements(of_source, t.edge_shape(1), t.examples()));
});

}  // namespace
}  // namespace ghostgrad::graph
