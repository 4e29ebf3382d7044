// SPDX-License-Identifier: Apache-2.0
// Fourier transforms mix the dimensions they run over and no others.
#include <algorithm>

#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

const Registered transforms = transfers<FftC2CBackward0, FftR2CBackward0, FftC2RBackward0>([](const auto& node, Transfer& t) {
  const auto axis = t.axis();
  const Ints dims = as_ints(node.dim);
  const auto is_axis = [&](int64_t dim) { return from_front(dim, t.rank()) == axis->dim; };
  if (axis && std::none_of(dims.begin(), dims.end(), is_axis)) t.keep(0, axis, axis->dim);
});

}  // namespace
}  // namespace ghostgrad::graph
