// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/moves.h"

#include <utility>

#include "ghostgrad/graph/shape.h"

namespace ghostgrad::graph {
namespace {

using Kind = Ownership::Kind;

/// Adds an owner to a bin: false if another example is already there.
bool put(int32_t& bin, int32_t owner) {
  if (owner < 0 || bin == owner) return true;
  if (bin >= 0) return false;
  bin = owner;
  return true;
}

/// A per_index layout repeats every `period` elements, in runs of `run` elements: owner = owners[(element / run) % size].
struct Runs {
  const std::vector<int32_t>& owners;
  int64_t run;
  int64_t period;
};

/// The owners of index 0 .. size-1 of a dimension that steps over `step` elements; null if one index meets two examples.
Owners read_runs(const Runs& runs, int64_t step, int64_t size) {
  if (step % runs.run != 0 && runs.run % step != 0) return nullptr;
  std::vector<int32_t> read(size, -1);
  const int64_t runs_per_index = step > runs.run ? step / runs.run : 1;
  for (int64_t j = 0; j < size; ++j) {
    for (int64_t r = 0; r < runs_per_index; ++r) {
      const int64_t run = (j * step / runs.run + r) % static_cast<int64_t>(runs.owners.size());
      if (!put(read[j], runs.owners[run])) return nullptr;
    }
  }
  return share(std::move(read));
}

Ownership reshape_per_index(const Ownership& ownership, const Shape& from, const Shape& to, int64_t examples) {
  const int64_t run = suffix(from, ownership.dim);
  const Runs runs{*ownership.owners, run, run * from[ownership.dim]};
  int64_t step = 1;
  for (int dim = static_cast<int>(to.size()) - 1; dim >= 0; --dim) {
    const int64_t block = step * to[dim];
    if (to[dim] > 1 && block % runs.period == 0) {  // else the owner depends on more than this index
      if (const Owners owners = read_runs(runs, step, to[dim])) return Ownership::per_index(dim, owners, to, examples);
    }
    step = block;
  }
  return Ownership::mixed();
}

/// The owner as a function of the index along `dim` alone; null if it is none.
Owners project(const std::vector<int32_t>& elements, const Shape& shape, int dim) {
  std::vector<int32_t> owners(shape[dim], -1);
  const int64_t step = suffix(shape, dim);
  for (size_t element = 0; element < elements.size(); ++element) {
    if (!put(owners[(static_cast<int64_t>(element) / step) % shape[dim]], elements[element])) return nullptr;
  }
  return share(std::move(owners));
}

}  // namespace

Owners share(std::vector<int32_t> owners) { return std::make_shared<const std::vector<int32_t>>(std::move(owners)); }

Ownership placed(const Axis& axis, int dim, const Shape& shape, int64_t examples) {
  if (dim < 0 || dim >= static_cast<int>(shape.size()) || shape[dim] != axis.size) return Ownership::mixed();
  if (count(shape) == 0) return Ownership::none();
  if (axis.owners) return Ownership::per_index(dim, axis.owners, shape, examples);
  return Ownership::strided(axis.inner * suffix(shape, dim));
}

Ownership reshaped(const Ownership& ownership, const Shape& from, const Shape& to, int64_t examples) {
  if (ownership.kind != Kind::strided && ownership.kind != Kind::per_index) return ownership;
  if (count(from) != count(to)) return Ownership::mixed();
  if (count(to) == 0) return Ownership::none();
  return ownership.kind == Kind::strided ? ownership : reshape_per_index(ownership, from, to, examples);
}

Ownership reduced_to(const Ownership& ownership, const Shape& from, const Shape& to, int64_t examples) {
  if (ownership.kind != Kind::strided && ownership.kind != Kind::per_index) return ownership;
  if (from == to) return ownership;
  const int ahead = static_cast<int>(from.size()) - static_cast<int>(to.size());
  if (ahead < 0) return Ownership::mixed();
  for (size_t dim = 0; dim < to.size(); ++dim) {
    if (to[dim] != from[dim + ahead] && to[dim] != 1) return Ownership::mixed();
  }
  if (count(from) == count(to)) return reshaped(ownership, from, to, examples);
  const auto axis = axis_of(ownership, from, examples);
  if (!axis || axis->dim < ahead || to[axis->dim - ahead] != from[axis->dim]) return Ownership::mixed();
  return placed(*axis, axis->dim - ahead, to, examples);
}

std::vector<int32_t> to_elements(const Ownership& ownership, const Shape& shape, int64_t examples) {
  std::vector<int32_t> elements(count(shape), -1);
  const int64_t run = ownership.kind == Kind::per_index ? suffix(shape, ownership.dim) : ownership.stride;
  for (int64_t element = 0; element < static_cast<int64_t>(elements.size()); ++element) {
    if (ownership.kind == Kind::strided) elements[element] = static_cast<int32_t>((element / run) % examples);
    if (ownership.kind == Kind::single) elements[element] = static_cast<int32_t>(ownership.example);
    if (ownership.kind == Kind::per_index) elements[element] = (*ownership.owners)[(element / run) % ownership.owners->size()];
  }
  return elements;
}

Ownership from_elements(const std::vector<int32_t>& elements, const Shape& shape, int64_t examples) {
  for (int dim = 0; dim < static_cast<int>(shape.size()); ++dim) {
    if (const Owners owners = project(elements, shape, dim)) return Ownership::per_index(dim, owners, shape, examples);
  }
  const Shape flat{static_cast<int64_t>(elements.size())};
  const Ownership along = Ownership::per_index(0, share(elements), flat, examples);
  return along.kind == Kind::per_index ? Ownership::mixed() : along;  // strided, single and none hold in every shape
}

Owners into_bins(const std::vector<int32_t>& elements, const int64_t* bins, int64_t size) {
  std::vector<int32_t> owners(size, -1);
  for (size_t j = 0; j < elements.size(); ++j) {
    if (bins[j] >= 0 && !put(owners[bins[j]], elements[j])) return nullptr;
  }
  return share(std::move(owners));
}

std::vector<int32_t> through_groups(const std::vector<int32_t>& outputs, int64_t groups, int64_t inputs) {
  std::vector<int64_t> group(outputs.size());
  for (size_t c = 0; c < outputs.size(); ++c) group[c] = static_cast<int64_t>(c) * groups / static_cast<int64_t>(outputs.size());
  const Owners owners = into_bins(outputs, group.data(), groups);
  std::vector<int32_t> channels;
  for (int64_t c = 0; owners && c < inputs; ++c) channels.push_back((*owners)[c * groups / inputs]);
  return channels;
}

}  // namespace ghostgrad::graph
