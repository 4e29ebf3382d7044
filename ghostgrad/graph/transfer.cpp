// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/transfer.h"

#include <algorithm>
#include <utility>

#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {

Transfer::Transfer(const NodeView& view, std::span<Ownership> results) : view_(view), results_(results) {
  for (int edge = 0; edge < edges(); ++edge) results_[edge] = wanted(edge) ? Ownership::mixed() : Ownership::none();
}

std::vector<int32_t> Transfer::owners(const Axis& axis) const {
  if (axis.owners) return *axis.owners;
  std::vector<int32_t> owners(axis.size);
  for (int64_t j = 0; j < axis.size; ++j) owners[j] = static_cast<int32_t>((j / axis.inner) % examples());
  return owners;
}

Owners Transfer::owners_of_dim(int slot, int dim) const {
  if (in(slot).kind == Ownership::Kind::single) {
    return share(std::vector<int32_t>(shape(slot)[dim], static_cast<int32_t>(in(slot).example)));
  }
  const auto axis = this->axis(slot);
  return axis && axis->dim == dim ? owners_along(*axis, shape(slot), examples()) : nullptr;
}

void Transfer::set(int edge, Ownership ownership) {
  if (wanted(edge)) results_[edge] = std::move(ownership);
}

void Transfer::set(int edge, int dim, std::vector<int32_t> owners) {
  if (!wanted(edge) || dim >= edge_rank(edge) || static_cast<int64_t>(owners.size()) != edge_shape(edge)[dim]) return;
  results_[edge] = Ownership::per_index(dim, share(std::move(owners)), edge_shape(edge), examples());
}

Ownership Transfer::along(const Axis& axis, int edge, int dim) const { return placed(axis, dim, edge_shape(edge), examples()); }

void Transfer::keep(int edge, const std::optional<Axis>& axis, int dim) {
  if (axis && wanted(edge)) results_[edge] = along(*axis, edge, dim);
}

void Transfer::keep_shifted(int edge, const std::optional<Axis>& axis, int dim, int64_t offset) {
  if (!axis || !wanted(edge) || dim < 0 || dim >= edge_rank(edge)) return;
  const int64_t size = edge_shape(edge)[dim];
  if (offset == 0 && size == axis->size) return keep(edge, axis, dim);
  const std::vector<int32_t> from = owners(*axis);
  std::vector<int32_t> to(size, -1);
  for (int64_t j = std::max<int64_t>(0, offset); j < std::min(size, axis->size + offset); ++j) to[j] = from[j - offset];
  set(edge, dim, std::move(to));
}

void Transfer::elementwise() {
  for (int edge = 0; edge < edges(); ++edge) elementwise(edge);
}

void Transfer::elementwise(int edge) {
  if (wanted(edge)) results_[edge] = reduced_to(in(), shape(), edge_shape(edge), examples());
}

void Transfer::same_order() { set(0, wanted(0) ? reshaped(in(), shape(), edge_shape(), examples()) : Ownership::none()); }

void Transfer::permuted(c10::ArrayRef<int64_t> order) {
  const auto axis = this->axis();
  if (axis && static_cast<int>(order.size()) == rank()) keep(0, axis, from_front(order[axis->dim], rank()));
}

void Transfer::all_but(int64_t dim) {
  const auto axis = this->axis();
  if (axis && axis->dim != from_front(dim, rank())) keep(0, axis, axis->dim);
}

void Transfer::leading(int dims) { leading(dims, {0}); }

void Transfer::leading(int dims, std::initializer_list<int> edge_list) {
  const auto axis = this->axis();
  if (!axis || axis->dim >= dims) return;
  for (int edge : edge_list) keep(edge, axis, axis->dim);
}

void Transfer::reduced(c10::ArrayRef<int64_t> dims, bool keepdim, int slot) {
  const auto axis = this->axis(slot);
  if (!axis || !wanted(0)) return;
  c10::SmallVector<bool, 8> gone(edge_rank(), dims.empty());
  for (int64_t dim : dims) gone[from_front(dim, edge_rank())] = true;
  int position = 0;  // of the edge's dimension among those of the slot
  for (int dim = 0; dim < edge_rank(); ++dim) {
    if (!gone[dim] && position == axis->dim) return keep(0, axis, dim);
    if (!gone[dim] || keepdim) ++position;
  }
}

Ownership Transfer::embedded(int slot, const Part& part) const {
  const auto axis = this->axis(slot);
  if (axis && axis->dim != part.dim) return along(*axis, 0, axis->dim);
  const Owners owners = owners_of_dim(slot, part.dim);
  if (!owners) return Ownership::mixed();
  std::vector<int32_t> whole(edge_shape()[part.dim], -1);
  for (size_t j = 0; j < owners->size(); ++j) {
    const int64_t index = part.start + static_cast<int64_t>(j) * part.step;
    if (index < 0 || index >= static_cast<int64_t>(whole.size())) return Ownership::mixed();
    whole[index] = (*owners)[j];
  }
  return Ownership::per_index(part.dim, share(std::move(whole)), edge_shape(), examples());
}

Ownership Transfer::embedded_index(int slot, int dim, int64_t index) const {
  if (in(slot).kind != Ownership::Kind::single) {
    const auto axis = this->axis(slot);
    return axis ? along(*axis, 0, axis->dim < dim ? axis->dim : axis->dim + 1) : Ownership::mixed();
  }
  std::vector<int32_t> whole(edge_shape()[dim], -1);
  whole[index] = static_cast<int32_t>(in(slot).example);
  return Ownership::per_index(dim, share(std::move(whole)), edge_shape(), examples());
}

}  // namespace ghostgrad::graph
