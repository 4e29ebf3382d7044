// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/ownership.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

bool same_owner(const std::vector<int32_t>& owners) {
  return std::all_of(owners.begin(), owners.end(), [&](int32_t owner) { return owner == owners.front(); });
}

/// The run length b for which owners[j] == (j / b) % examples throughout; 0 if there is none.
int64_t regular_run(const std::vector<int32_t>& owners, int64_t examples) {
  const int64_t size = static_cast<int64_t>(owners.size());
  int64_t run = 0;
  while (run < size && owners[run] == 0) ++run;
  if (run == 0 || size % (run * examples) != 0) return 0;
  for (int64_t j = run; j < size; ++j) {
    if (owners[j] != (j / run) % examples) return 0;
  }
  return run;
}

/// Two vectors of owners of the same dimension, -1 being neutral; null if they contradict each other.
Owners merge(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  auto merged = std::make_shared<std::vector<int32_t>>(a);
  for (size_t j = 0; j < a.size(); ++j) {
    if (a[j] >= 0 && b[j] >= 0 && a[j] != b[j]) return nullptr;
    (*merged)[j] = std::max(a[j], b[j]);
  }
  return merged;
}

Ownership join_single(const Ownership& single, const Ownership& other) {
  if (other.kind != Ownership::Kind::per_index) return Ownership::mixed();
  const bool agree =
      std::all_of(other.owners->begin(), other.owners->end(), [&](int32_t owner) { return owner < 0 || owner == single.example; });
  return agree ? single : Ownership::mixed();
}

}  // namespace

Ownership Ownership::mixed() {
  Ownership ownership;
  ownership.kind = Kind::mixed;
  return ownership;
}

Ownership Ownership::strided(int64_t stride) {
  Ownership ownership;
  ownership.kind = Kind::strided;
  ownership.stride = stride;
  return ownership;
}

Ownership Ownership::single(int64_t example) {
  Ownership ownership;
  ownership.kind = Kind::single;
  ownership.example = example;
  return ownership;
}

Ownership Ownership::per_index(int dim, Owners owners, const Shape& shape, int64_t examples) {
  if (count(shape) == 0 || (owners->front() < 0 && same_owner(*owners))) return none();
  if (examples == 1) return single(0);
  if (same_owner(*owners)) return single(owners->front());
  if (const int64_t run = regular_run(*owners, examples)) return strided(run * suffix(shape, dim));
  Ownership ownership;
  ownership.kind = Kind::per_index;
  ownership.dim = dim;
  ownership.owners = std::move(owners);
  return ownership;
}

bool Ownership::operator==(const Ownership& other) const {
  if (kind != other.kind || stride != other.stride || example != other.example || dim != other.dim) return false;
  return kind != Kind::per_index || owners == other.owners || *owners == *other.owners;
}

std::optional<Axis> axis_of(const Ownership& ownership, const Shape& shape, int64_t examples) {
  if (ownership.kind == Ownership::Kind::per_index) return Axis{ownership.dim, 1, ownership.owners, shape[ownership.dim]};
  if (ownership.kind != Ownership::Kind::strided) return std::nullopt;
  int64_t step = 1;  // elements per index of dim
  for (int dim = static_cast<int>(shape.size()) - 1; dim >= 0 && step <= ownership.stride; --dim) {
    const int64_t inner = ownership.stride / step;
    if (ownership.stride % step == 0 && shape[dim] % (inner * examples) == 0) return Axis{dim, inner, nullptr, shape[dim]};
    step *= shape[dim];
  }
  return std::nullopt;
}

Owners owners_along(const Axis& axis, const Shape& shape, int64_t examples) {
  if (axis.owners) return axis.owners;
  auto owners = std::make_shared<std::vector<int32_t>>(shape[axis.dim]);
  for (int64_t j = 0; j < shape[axis.dim]; ++j) (*owners)[j] = static_cast<int32_t>((j / axis.inner) % examples);
  return owners;
}

Ownership join(const Ownership& a, const Ownership& b, const Shape& shape, int64_t examples) {
  using Kind = Ownership::Kind;
  if (!a.live()) return b;
  if (!b.live() || a == b) return a;
  if (a.is_mixed() || b.is_mixed()) return Ownership::mixed();
  if (a.kind == Kind::single) return join_single(a, b);
  if (b.kind == Kind::single) return join_single(b, a);
  const auto first = axis_of(a, shape, examples);
  const auto second = axis_of(b, shape, examples);
  if (!first || !second || first->dim != second->dim) return Ownership::mixed();
  const Owners merged = merge(*owners_along(*first, shape, examples), *owners_along(*second, shape, examples));
  return merged ? Ownership::per_index(first->dim, merged, shape, examples) : Ownership::mixed();
}

at::Tensor owner_tensor(const Ownership& ownership, const Shape& shape, int64_t examples) {
  const std::vector<int64_t> ones(shape.size(), 1);
  if (ownership.kind == Ownership::Kind::single) return at::full(ones, ownership.example, at::kLong);
  if (const auto axis = axis_of(ownership, shape, examples)) {
    const Owners owners = owners_along(*axis, shape, examples);
    std::vector<int64_t> sizes = ones;
    sizes[axis->dim] = shape[axis->dim];
    return at::tensor(at::ArrayRef<int32_t>(*owners), at::kInt).to(at::kLong).view(sizes);
  }
  if (ownership.kind == Ownership::Kind::strided) {
    return at::arange(count(shape), at::kLong).div(ownership.stride, "floor").remainder(examples).view(shape);
  }
  return at::full(ones, -1, at::kLong);
}

std::string to_string(const Ownership& ownership, const Shape& shape, int64_t examples) {
  switch (ownership.kind) {
    case Ownership::Kind::none:
      return "none";
    case Ownership::Kind::mixed:
      return "mixed";
    case Ownership::Kind::single:
      return "single(example " + std::to_string(ownership.example) + ")";
    case Ownership::Kind::per_index:
      return "per_index(dim " + std::to_string(ownership.dim) + ")";
    case Ownership::Kind::strided:
      break;
  }
  const auto axis = axis_of(ownership, shape, examples);
  if (!axis) return "strided(stride " + std::to_string(ownership.stride) + ")";
  return "strided(dim " + std::to_string(axis->dim) + ", inner " + std::to_string(axis->inner) + ")";
}

}  // namespace ghostgrad::graph
