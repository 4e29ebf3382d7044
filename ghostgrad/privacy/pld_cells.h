// SPDX-License-Identifier: Apache-2.0
// A privacy loss distribution on a grid. The losses of one release, cut at points of the grid, fall into cells; each cell with
// probabilities p under P and r under Q is the pair of atoms at its two ends that has the same p and r ("connect the dots" [DGKM22]):
//
//     low + high = p,    low e^-L(lower end) + high e^-L(upper end) = r
//
// Two ways to make a distribution on the grid of it:
//   - pessimistic: those atoms. The outcome can be simulated from them, so they tell P and Q apart at least as well;
//   - optimistic: outcomes of neighbouring cells, merged so that each merged outcome's loss ln(p/r) is a point of the grid. Merging
//     loses information, so they tell P and Q apart at most as well. What finds no partner is rounded down.
// Both bounds differ from the truth by O(interval^2) per release.
#pragma once

#include <cstdint>
#include <vector>

#include "ghostgrad/privacy/pld_pair.h"

namespace ghostgrad::privacy {

/// Cells between consecutive multiples at[i] < at[i+1] of the interval.
struct Cells {
  double interval = 0;
  std::vector<std::int64_t> at{};
  std::vector<double> low{};   // atom of P at the lower end of each cell
  std::vector<double> high{};  // and at the upper end
  double p_below = 0;          // outside of all cells
  double q_below = 0;
  double p_above = 0;
  double q_above = 0;
};

/// The weight that each place has for the question at hand: ln of its (tilted) density is ln P + slope * loss - log_total.
struct Weighting {
  double slope = 0;
  double log_total = 0;
  double widest = 64;  // intervals, that a cell may have where little weight lies: there its error does not show
};

/// Cells one interval wide, or with a weighting more.
[[nodiscard]] Cells make_cells(const LossPair& pair, double interval, const Reach& reach, const Weighting* weighting = nullptr);

/// The cells of the pair with P and Q swapped: an example added instead of removed.
[[nodiscard]] Cells swapped(const Cells& cells);

/// Atoms of P at multiples of the interval, ascending.
struct LossAtoms {
  std::vector<std::int64_t> at{};
  std::vector<double> mass{};
  double at_infinity = 0;
};

[[nodiscard]] LossAtoms pessimistic_atoms(const Cells& cells);
[[nodiscard]] LossAtoms optimistic_atoms(const Cells& cells);

}  // namespace ghostgrad::privacy
