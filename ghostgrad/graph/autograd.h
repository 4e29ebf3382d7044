// SPDX-License-Identifier: Apache-2.0
// The one file that knows how libtorch versions differ in holding autograd nodes (2.11, 2.12: std::shared_ptr; 2.13: c10::intrusive_ptr).
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/edge.h>
#include <torch/csrc/autograd/function.h>

namespace ghostgrad::graph {

using torch::autograd::Edge;
using torch::autograd::Node;
using torch::autograd::variable_list;

/// The owning pointer to a node, whatever this libtorch uses.
using NodePtr = std::decay_t<decltype(std::declval<const at::Tensor&>().grad_fn())>;

/// Makes a node of our own.
template <class T, class... Args>
NodePtr make_node(Args&&... args) {
  if constexpr (std::is_same_v<NodePtr, std::shared_ptr<Node>>) {
    return std::make_shared<T>(std::forward<Args>(args)...);
  } else {
    return c10::make_intrusive<T>(std::forward<Args>(args)...);
  }
}

/// Node names without namespaces: "AddmmBackward0", also for "torch::autograd::CopySlices".
[[nodiscard]] std::string short_name(const Node& node);

/// Whether libtorch itself made this node (a custom Function may call itself "AddBackward0").
[[nodiscard]] bool is_native(const Node& node);

}  // namespace ghostgrad::graph
