// SPDX-License-Identifier: Apache-2.0
// Views that reorder dimensions.
#include <utility>

#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/registry.h"
#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd::generated;

const auto swap = [](Transfer& t, int64_t a, int64_t b) {
  Ints order;
  for (int dim = 0; dim < t.rank(); ++dim) order.push_back(dim);
  if (!order.empty()) std::swap(order[from_front(a, t.rank())], order[from_front(b, t.rank())]);
  t.permuted(order);
};

const Registered matrix_transpose =
    transfers({"TBackward0", "TBackward1"}, [](Transfer& t) { t.rank() == 2 ? swap(t, 0, 1) : t.elementwise(); });

const Registered transpose =
    transfers<TransposeBackward0, TransposeBackward1>([](const auto& node, Transfer& t) { swap(t, node.dim0, node.dim1); });

/// y's dimension j is x's dimension dims[j].
const Registered permute = transfers<PermuteBackward0>([](const auto& node, Transfer& t) { t.permuted(as_ints(node.dims)); });

}  // namespace
}  // namespace ghostgrad::graph
