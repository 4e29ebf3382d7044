// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/indexing.h"

#include <utility>

#include <ATen/ATen.h>

#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

bool is_mask(const at::Tensor& index) { return index.defined() && (index.scalar_type() == at::kBool || index.scalar_type() == at::kByte); }

/// Masks as the integer indices they stand for.
std::vector<at::Tensor> without_masks(const std::vector<at::Tensor>& indices) {
  std::vector<at::Tensor> plain;
  for (const at::Tensor& index : indices) {
    if (!is_mask(index)) {
      plain.push_back(index);
      continue;
    }
    for (const at::Tensor& part : index.nonzero().unbind(1)) plain.push_back(part);
  }
  return plain;
}

bool are_adjacent(const std::vector<int>& dims) {
  for (size_t i = 1; i < dims.size(); ++i) {
    if (dims[i] != dims[i - 1] + 1) return false;
  }
  return true;
}

/// The owner of every index position (row-major over indexing.shape) where nothing else decides it; empty otherwise.
std::vector<int32_t> owners_of_positions(const Transfer& t, const Indexing& indexing) {
  const int64_t positions = count(indexing.shape);
  if (t.in().kind == Ownership::Kind::single) return std::vector<int32_t>(positions, static_cast<int32_t>(t.in().example));
  const auto axis = t.axis();
  const int inside = axis ? axis->dim - indexing.position : -1;
  if (inside < 0 || inside >= static_cast<int>(indexing.shape.size())) return {};
  const Ownership along = placed(*axis, inside, indexing.shape, t.examples());
  return along.resolved() ? to_elements(along, indexing.shape, t.examples()) : std::vector<int32_t>();
}

/// The dimension of x that y's dimension `dim` is, if it is no index dimension.
int free_dim(const Indexing& indexing, int dim) {
  const int rank = static_cast<int>(indexing.shape.size());
  return indexing.free[dim < indexing.position ? dim : dim - rank];
}

}  // namespace

at::Tensor plain_index(const at::Tensor& index, int64_t size) {
  at::Tensor plain = index.to(at::kCPU, at::kLong);
  plain = at::where(plain.lt(0), plain + size, plain).contiguous();
  const bool inside = plain.numel() == 0 || (plain.min().item<int64_t>() >= 0 && plain.max().item<int64_t>() < size);
  return inside ? plain : at::Tensor();
}

std::optional<Indexing> read_indices(const std::vector<at::Tensor>& indices, const Shape& whole) {
  for (const at::Tensor& index : indices) {
    if (is_mask(index) && index.dim() == 0) return std::nullopt;
  }
  std::vector<at::Tensor> plain = without_masks(indices);
  if (plain.size() > whole.size()) return std::nullopt;
  plain.resize(whole.size());
  Indexing indexing;
  for (size_t dim = 0; dim < plain.size(); ++dim) {
    (plain[dim].defined() ? indexing.dims : indexing.free).push_back(static_cast<int>(dim));
    if (plain[dim].defined()) indexing.index.push_back(plain[dim]);
  }
  if (indexing.dims.empty()) return std::nullopt;
  indexing.index = at::broadcast_tensors(indexing.index);
  indexing.shape = as_shape(indexing.index[0].sizes());
  indexing.position = are_adjacent(indexing.dims) ? indexing.dims[0] : 0;
  for (size_t i = 0; i < indexing.dims.size(); ++i) {
    indexing.index[i] = plain_index(indexing.index[i], whole[indexing.dims[i]]);
    if (!indexing.index[i].defined()) return std::nullopt;
  }
  return indexing;
}

Shape indexed_shape(const Indexing& indexing, const Shape& whole) {
  Shape shape;
  for (int dim : indexing.free) shape.push_back(whole[dim]);
  shape.insert(shape.begin() + indexing.position, indexing.shape.begin(), indexing.shape.end());
  return shape;
}

void through_reading(Transfer& t, const std::optional<Indexing>& indexing) {
  if (!indexing) return;
  const auto axis = t.axis();
  const int rank = static_cast<int>(indexing->shape.size());
  if (axis && (axis->dim < indexing->position || axis->dim >= indexing->position + rank)) {
    return t.keep(0, axis, free_dim(*indexing, axis->dim));
  }
  if (t.in().kind == Ownership::Kind::single) t.set(0, t.in());  // unless the holes are known too
  const std::vector<int32_t> positions = owners_of_positions(t, *indexing);
  if (positions.empty()) return;
  for (size_t i = 0; i < indexing->dims.size(); ++i) {
    const int dim = indexing->dims[i];
    const Owners owners = into_bins(positions, indexing->index[i].const_data_ptr<int64_t>(), t.edge_shape()[dim]);
    if (owners) return t.set(0, dim, *owners);
  }
}

void through_writing(Transfer& t, const std::optional<Indexing>& indexing, int edge) {
  const auto axis = t.axis();
  if (!indexing || !axis || !t.wanted(edge)) return;
  const Shape values = indexed_shape(*indexing, t.shape());
  const int rank = static_cast<int>(indexing->shape.size());
  for (int i = 0; i < static_cast<int>(indexing->free.size()); ++i) {
    if (indexing->free[i] != axis->dim) continue;
    const Ownership along = placed(*axis, i < indexing->position ? i : i + rank, values, t.examples());
    return t.set(edge, reduced_to(along, values, t.edge_shape(edge), t.examples()));
  }
  const std::vector<int32_t> of_x = t.owners(*axis);
  for (size_t i = 0; i < indexing->dims.size(); ++i) {
    if (indexing->dims[i] != axis->dim) continue;
    const int64_t* index = indexing->index[i].const_data_ptr<int64_t>();
    std::vector<int32_t> positions(count(indexing->shape));
    for (size_t p = 0; p < positions.size(); ++p) positions[p] = of_x[index[p]];
    const Ownership inside = from_elements(positions, indexing->shape, t.examples());
    const auto along = axis_of(inside, indexing->shape, t.examples());
    const Ownership all = along ? placed(*along, along->dim + indexing->position, values, t.examples()) : inside;
    const bool holds = along || !inside.live() || inside.kind == Ownership::Kind::single;
    return t.set(edge, holds ? reduced_to(all, values, t.edge_shape(edge), t.examples()) : Ownership::mixed());
  }
}

}  // namespace ghostgrad::graph
