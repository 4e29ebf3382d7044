// SPDX-License-Identifier: Apache-2.0
// What the accountants by privacy loss distributions (pld, prv) share: the releases of a run, merged where they are equal, and a curve
// for each direction in which neighbours differ. Directions are composed apart, and the worse one is the answer:
//
//     add_remove, zero_out    remove, and add (P and Q swapped)           replace_one    one direction: the pair is symmetric
//
// Plain Gaussians are merged into one beforehand; if there is nothing else, the answer is the exact curve of the analytic accountant.
// Truncated Poisson sampling is served under zero-out adjacency, fixed-size sampling not at all.
//
// Where a grid in double precision makes no sense (losses beyond +-600 in one release, more than 10^10 releases, sigma above 10^8),
// the value is the bound of the rdp accountant, or infinity where that has none, with a warning.
#pragma once

#include <optional>
#include <vector>

#include "ghostgrad/privacy/accountant.h"
#include "ghostgrad/privacy/analytic.h"
#include "ghostgrad/privacy/pld_curve.h"

namespace ghostgrad::privacy {

/// The loss of one release of a sampled event; nothing when it cannot be served under this adjacency.
[[nodiscard]] std::optional<ReleaseLoss> release_loss(const Event& event, Adjacency adjacency);

class LossAccountant : public Accountant {
 protected:
  LossAccountant(Adjacency adjacency, const GridOptions& grid) : Accountant(adjacency), grid_(grid), gaussians_(adjacency) {}

  /// One per direction, composed when they are asked and kept until the next event.
  [[nodiscard]] std::vector<LossCurve>& curves() const;

  /// True when the answers of `exact` need no grid.
  [[nodiscard]] bool is_exact() const { return sampled_.empty(); }
  [[nodiscard]] const AnalyticAccountant& exact() const { return gaussians_; }

  /// False when only `by_rdp` can answer.
  [[nodiscard]] bool has_grid() const;

  /// The bound of the rdp accountant, or none.
  [[nodiscard]] std::optional<Bound> epsilon_by_rdp(double delta) const;
  [[nodiscard]] std::optional<Bound> delta_by_rdp(double epsilon) const;

  [[nodiscard]] Fft& fft() const { return fft_; }

 private:
  [[nodiscard]] bool supports_part(const Event& event) const override;
  void add(const Part& part) override;

  GridOptions grid_;
  AnalyticAccountant gaussians_;
  std::vector<Part> sampled_{};  // distinct
  mutable std::vector<LossCurve> curves_{};
  mutable Fft fft_{};
};

}  // namespace ghostgrad::privacy
