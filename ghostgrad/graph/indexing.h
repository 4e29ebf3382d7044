// SPDX-License-Identifier: Apache-2.0
// Advanced indexing y = x[i, j, ...] read as data: which positions of x each index position stands for. Rows that are routed, packed,
// sorted or masked carry their owners through these integers.
//
//     x [N, d], y = x[i], i [M]   gradient of x: row n belongs to the owner of all m with i[m] = n, if they agree
//     x[i] = v                    gradient of v: row m belongs to the owner of row i[m] of x
#pragma once

#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/graph/attributes.h"
#include "ghostgrad/graph/transfer.h"

namespace ghostgrad::graph {

struct Indexing {
  std::vector<at::Tensor> index;  // for each of dims: int64 on the CPU, contiguous, broadcast to `shape`, within bounds
  std::vector<int> dims;          // of x, that are indexed
  std::vector<int> free;          // of x, that are not
  Shape shape;                    // of the index tensors
  int position = 0;               // in y, of the first dimension of `shape`
};

/// Integer tensors as the library wants them: int64, on the CPU, contiguous, counted from the front; undefined if out of bounds.
[[nodiscard]] at::Tensor plain_index(const at::Tensor& index, int64_t size);

/// `indices` as ATen takes them: one per dimension, undefined for a full slice, boolean masks standing for several.
[[nodiscard]] std::optional<Indexing> read_indices(const std::vector<at::Tensor>& indices, const Shape& whole);

/// Shape of y.
[[nodiscard]] Shape indexed_shape(const Indexing& indexing, const Shape& whole);

/// Slot 0 is the gradient of y = x[indices], edge 0 leads to x.
void through_reading(Transfer& t, const std::optional<Indexing>& indexing);

/// Slot 0 is the gradient of x after x[indices] = v, `edge` leads to v (broadcast to the shape of x[indices]).
void through_writing(Transfer& t, const std::optional<Indexing>& indexing, int edge);

}  // namespace ghostgrad::graph
