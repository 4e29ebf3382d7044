// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/addresses.h"

#include <utility>

#include "ghostgrad/graph/moves.h"

namespace ghostgrad::graph {
namespace {

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// How the dimensions other than `dim` spread: within a unit, or over whole periods.
struct Spread {
  int64_t within = 0;    // the farthest that their steps reach together, whole periods apart
  bool repeats = false;  // some step over whole periods
};

std::optional<Spread> spread(const Layout& view, int dim, int64_t period) {
  Spread spread;
  for (int d = 0; d < static_cast<int>(view.sizes.size()); ++d) {
    if (d == dim || view.sizes[d] <= 1 || view.strides[d] == 0) continue;
    if (view.strides[d] < 0) return std::nullopt;
    if (view.strides[d] % period == 0) {
      spread.repeats = true;
    } else {
      spread.within += (view.sizes[d] - 1) * view.strides[d];
    }
  }
  return spread;
}

/// The owners along `dim` (-1: the one element of a 0-d view), with the rule's origin moved down; null if a step of the others could carry.
Owners owners_under(const AddressRule& rule, int64_t moved, const Layout& view, int dim) {
  const int64_t units = static_cast<int64_t>(rule.owners.size());
  const auto others = spread(view, dim, rule.unit * units);
  if (!others) return nullptr;
  const bool one_period = !rule.repeats && !others->repeats;
  std::vector<int32_t> owners;
  for (int64_t j = 0; j < (dim < 0 ? 1 : view.sizes[dim]); ++j) {
    const int64_t address = view.offset - rule.origin + moved + (dim < 0 ? 0 : j * view.strides[dim]);
    const int64_t unit = floor_div(address, rule.unit);
    if (address - unit * rule.unit + others->within >= rule.unit) return nullptr;
    const bool outside = one_period && (unit < 0 || unit >= units);
    owners.push_back(outside ? -1 : rule.owners[unit - floor_div(unit, units) * units]);
  }
  return share(std::move(owners));
}

/// How far the origin would have to move down for the view to begin a unit; 0 where it must not move so far.
int64_t to_unit(const AddressRule& rule, const Layout& view) {
  const int64_t before = rule.origin - view.offset;
  const int64_t moved = before - floor_div(before, rule.unit) * rule.unit;
  return moved <= rule.slack ? moved : 0;
}

}  // namespace

std::optional<AddressRule> rule_of(const Layout& view, const Axis& axis, int64_t examples) {
  const int64_t stride = view.strides[axis.dim];
  if (stride <= 0) return std::nullopt;
  AddressRule rule{view.offset, stride * axis.inner, 0, {}, false};
  if (axis.owners) rule.owners = *axis.owners;
  for (int64_t j = 0; !axis.owners && j < axis.size / axis.inner; ++j) rule.owners.push_back(static_cast<int32_t>(j % examples));
  const auto others = spread(view, axis.dim, rule.unit * static_cast<int64_t>(rule.owners.size()));
  if (!others) return std::nullopt;
  rule.slack = rule.unit - 1 - others->within - (axis.inner - 1) * stride;
  if (rule.slack < 0) return std::nullopt;
  rule.repeats = others->repeats;
  return rule;
}

Ownership layout_under(const AddressRule& rule, const Layout& view, int64_t examples) {
  const int rank = static_cast<int>(view.sizes.size());
  for (int dim = rank == 0 ? -1 : 0; dim < rank; ++dim) {
    Owners owners = owners_under(rule, 0, view, dim);
    if (!owners) owners = owners_under(rule, to_unit(rule, view), view, dim);
    if (!owners) continue;
    return dim < 0 ? Ownership::per_index(0, owners, Shape{1}, examples) : Ownership::per_index(dim, owners, view.sizes, examples);
  }
  return Ownership::mixed();
}

}  // namespace ghostgrad::graph
