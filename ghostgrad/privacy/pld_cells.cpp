// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_cells.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ghostgrad::privacy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The atom at the upper end: p - r e^lower = high (1 - e^(lower - upper)).
double upper_atom(const Masses& masses, double lower, double upper) {
  const double high = (masses.excess - std::expm1(lower) * masses.q) / -std::expm1(lower - upper);
  return std::clamp(high, 0.0, masses.p);
}

/// How many intervals wide a cell with this end may be: weight times width^2 / 12 is its part in the error, so that width ~ weight^(-1/3)
/// spreads it evenly.
double width_at(const LossPair& pair, double place, const Weighting& weighting) {
  if (!std::isfinite(place)) return 1;
  const double log_weight = log_density(pair, place) + std::log(pair.sigma) + weighting.slope * loss_at(pair, place) - weighting.log_total;
  return std::clamp(std::exp(-(log_weight + 3) / 3), 1.0, weighting.widest);
}

/// A grid point between cells.
struct Edge {
  std::int64_t at;
  double place;
  double width;  // in intervals, that a cell with this end may have
};

class Cutter {
 public:
  Cutter(const LossPair& pair, double interval, const Weighting* weighting) : pair_(pair), interval_(interval), weighting_(weighting) {}

  [[nodiscard]] Edge edge(std::int64_t at) const {
    const double place = place_of(pair_, interval_ * static_cast<double>(at));
    return {at, place, weighting_ ? width_at(pair_, place, *weighting_) : 1};
  }

  /// The end of the cell that starts here: the cell is good at both of its ends, and a fraction of a standard deviation wide.
  [[nodiscard]] Edge after(const Edge& start, std::int64_t last) const {
    for (auto width = static_cast<std::int64_t>(start.width); width > 1; width /= 2) {
      const auto end = edge(std::min(last, start.at + width));
      if (end.place - start.place < 0.3 * pair_.sigma && end.width >= static_cast<double>(width)) return end;
    }
    return edge(start.at + 1);
  }

 private:
  const LossPair& pair_;
  double interval_;
  const Weighting* weighting_;
};

/// The fractions of every cell's outcomes that are merged into its two ends.
struct Shares {
  std::vector<double> down;
  std::vector<double> up;
};

/// Merging `up` of cell i and `down` of cell i+1 gives the loss between them exactly when
/// up * low_i (e^width_i - 1) = down * high_{i+1} (1 - e^-width_{i+1}).
class Balance {
 public:
  explicit Balance(const Cells& cells) : cells_(cells) {}

  [[nodiscard]] double from_below(std::size_t i) const { return cells_.low[i] * std::expm1(width(i)); }
  [[nodiscard]] double from_above(std::size_t i) const { return cells_.high[i] * -std::expm1(-width(i)); }

 private:
  [[nodiscard]] double width(std::size_t i) const { return cells_.interval * static_cast<double>(cells_.at[i + 1] - cells_.at[i]); }

  const Cells& cells_;
};

class Matching {
 public:
  explicit Matching(const Cells& cells)
      : balance_(cells), shares_{std::vector<double>(cells.low.size(), 0), std::vector<double>(cells.low.size(), 0)} {}

  /// Merges at the grid point above cell `below` as much as both cells can offer.
  void match(std::size_t below, double offer_below, double offer_above) {
    const double pull_down = offer_below * balance_.from_below(below);
    const double pull_up = offer_above * balance_.from_above(below + 1);
    const double pull = std::min(pull_down, pull_up);
    shares_.up[below] = pull_down > 0 ? offer_below * (pull / pull_down) : 0;
    shares_.down[below + 1] = pull_up > 0 ? offer_above * (pull / pull_up) : 0;
  }

  [[nodiscard]] const Shares& shares() const { return shares_; }

 private:
  Balance balance_;
  Shares shares_;
};

/// From both tails towards the heaviest cell: in that direction every cell outweighs the one before, and errors die out.
Shares balanced_shares(const Cells& cells) {
  const std::size_t count = cells.low.size();
  std::size_t heaviest = 0;
  for (std::size_t i = 1; i < count; ++i) {
    if (cells.low[i] + cells.high[i] > cells.low[heaviest] + cells.high[heaviest]) heaviest = i;
  }
  Matching matching(cells);
  const auto& [down, up] = matching.shares();
  for (std::size_t i = 0; i < heaviest; ++i) matching.match(i, 1 - down[i], 1);
  for (std::size_t i = count - 1; i > heaviest + 1; --i) matching.match(i - 1, 1, 1 - up[i]);
  if (heaviest + 1 < count) matching.match(heaviest, 1 - down[heaviest], 1 - up[heaviest + 1]);
  return matching.shares();
}

}  // namespace

Cells make_cells(const LossPair& pair, double interval, const Reach& reach, const Weighting* weighting) {
  Cells cells{.interval = interval};
  const auto first = static_cast<std::int64_t>(std::floor(loss_at(pair, reach.from) / interval));
  const auto last = std::max(first + 1, static_cast<std::int64_t>(std::ceil(loss_at(pair, reach.to) / interval)));
  const auto loss_of = [interval](std::int64_t at) { return interval * static_cast<double>(at); };
  const Cutter cutter(pair, interval, weighting);
  auto start = cutter.edge(first);
  Boundary lower(pair, start.place);
  const Masses below = between(pair, Boundary(pair, -infinity), lower);
  cells.at.push_back(first);
  while (start.at < last) {
    const auto end = cutter.after(start, last);
    const Boundary upper(pair, end.place);
    const Masses masses = between(pair, lower, upper);
    const double high = upper_atom(masses, loss_of(start.at), loss_of(end.at));
    cells.at.push_back(end.at);
    cells.low.push_back(masses.p - high);
    cells.high.push_back(high);
    lower = upper;
    start = end;
  }
  const Masses above = between(pair, lower, Boundary(pair, infinity));
  cells.p_below = below.p;
  cells.q_below = below.q;
  cells.p_above = above.p;
  cells.q_above = above.q;
  return cells;
}

Cells swapped(const Cells& cells) {
  Cells mirror{
      .interval = cells.interval, .p_below = cells.q_above, .q_below = cells.p_above, .p_above = cells.q_below, .q_above = cells.p_below};
  for (auto at = cells.at.rbegin(); at != cells.at.rend(); ++at) mirror.at.push_back(-*at);
  for (std::size_t i = cells.low.size(); i-- > 0;) {
    mirror.low.push_back(cells.high[i] * std::exp(-cells.interval * static_cast<double>(cells.at[i + 1])));
    mirror.high.push_back(cells.low[i] * std::exp(-cells.interval * static_cast<double>(cells.at[i])));
  }
  return mirror;
}

LossAtoms pessimistic_atoms(const Cells& cells) {
  LossAtoms atoms{.at = cells.at, .mass = std::vector<double>(cells.at.size(), 0), .at_infinity = cells.p_above};
  for (std::size_t i = 0; i < cells.low.size(); ++i) {
    atoms.mass[i] += cells.low[i];
    atoms.mass[i + 1] += cells.high[i];
  }
  atoms.mass.front() += cells.p_below;
  return atoms;
}

LossAtoms optimistic_atoms(const Cells& cells) {
  LossAtoms atoms{.at = cells.at, .mass = std::vector<double>(cells.at.size(), 0)};
  const auto shares = balanced_shares(cells);
  for (std::size_t i = 0; i < cells.low.size(); ++i) {
    const double mass = cells.low[i] + cells.high[i];
    atoms.mass[i] += mass * (1 - shares.up[i]);  // merged downwards or, without a partner, rounded down
    atoms.mass[i + 1] += mass * shares.up[i];
  }
  atoms.mass.back() += cells.p_above;
  return atoms;
}

}  // namespace ghostgrad::privacy
