// SPDX-License-Identifier: Apache-2.0
// Ownership through memory: two views of one storage pass gradient where they share an address (as_strided, in-place changes of views).
//
//     owner(address) = owners[((address - origin) / unit) mod n]
//
// A layout of one view is first read as such a rule, then written down for the other view. Both steps check that no index step of another
// dimension carries into the next unit; where one could, nothing is said. A view that does not fill its units leaves open where they begin:
// the origin may lie lower by up to `slack`, which lets a base begin before a view of it that was sliced along an inner dimension.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ghostgrad/graph/layout.h"
#include "ghostgrad/graph/ownership.h"

namespace ghostgrad::graph {

struct AddressRule {
  int64_t origin = 0;
  int64_t unit = 1;
  int64_t slack = 0;
  std::vector<int32_t> owners;
  bool repeats = false;  // the view goes on beyond one period of unit * n addresses
};

/// The layout of this view (its example axis) as a rule on addresses.
[[nodiscard]] std::optional<AddressRule> rule_of(const Layout& view, const Axis& axis, int64_t examples);

/// The layout that the rule gives this view; mixed if it gives none.
[[nodiscard]] Ownership layout_under(const AddressRule& rule, const Layout& view, int64_t examples);

}  // namespace ghostgrad::graph
