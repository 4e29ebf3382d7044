// SPDX-License-Identifier: Apache-2.0
// Attributes that autograd saved on a node, as plain integers whatever type this libtorch keeps them in (int64_t, SymInt, optional lists).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <c10/core/SymInt.h>
#include <c10/util/SmallVector.h>
#include <torch/csrc/autograd/saved_variable.h>

#include "ghostgrad/graph/autograd.h"
#include "ghostgrad/graph/walk.h"

namespace ghostgrad::graph {

using Ints = c10::SmallVector<int64_t, 6>;

[[nodiscard]] inline int64_t as_int(int64_t value) { return value; }
[[nodiscard]] inline int64_t as_int(const c10::SymInt& value) { return value.expect_int(); }

[[nodiscard]] inline Ints as_ints(int64_t value) { return {value}; }

template <class List>
[[nodiscard]] auto as_ints(const List& list) -> decltype(list.begin(), Ints()) {
  Ints ints;
  for (const auto& value : list) ints.push_back(as_int(value));
  return ints;
}

/// Nothing where the list is absent (a reduction over everything).
template <class T>
[[nodiscard]] Ints as_ints(const c10::OptionalArray<T>& list) {
  return list.list ? as_ints(*list.list) : Ints();
}

[[nodiscard]] inline Ints as_ints(const std::optional<int64_t>& value) { return value ? Ints{*value} : Ints(); }

template <class List>
[[nodiscard]] Shape as_shape(const List& list) {
  Shape shape;
  for (const auto& value : list) shape.push_back(as_int(value));
  return shape;
}

/// Saved tensors of a list; undefined where the op was given none.
[[nodiscard]] inline std::vector<at::Tensor> unpack_all(const std::vector<torch::autograd::SavedVariable>& saved, const NodePtr& node) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(saved.size());
  for (const auto& variable : saved) tensors.push_back(variable.unpack(node));
  return tensors;
}

}  // namespace ghostgrad::graph
