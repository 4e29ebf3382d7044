// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/repeatable.h"

#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/graph/hooks.h"

namespace ghostgrad::graph {
namespace {

using namespace torch::autograd;

bool is_recurrent_kernel(const Node& node) {
  return dynamic_cast<const generated::MkldnnRnnLayerBackward0*>(&node) || dynamic_cast<const generated::CudnnRnnBackward0*>(&node);
}

bool is_repeatable(const NodePtr& node) {
  if (dynamic_cast<const AccumulateGrad*>(node.get())) return true;
  return is_native(*node) && !is_recurrent_kernel(*node) && !has_hooks_on_saved(node);
}

}  // namespace

bool is_repeatable(const Graph& graph) {
  for (size_t id = 0; id < graph.nodes.size(); ++id) {
    if (graph.reaches[id] && !is_repeatable(graph.nodes[id])) return false;
  }
  return true;
}

}  // namespace ghostgrad::graph
