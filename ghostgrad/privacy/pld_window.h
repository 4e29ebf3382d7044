// SPDX-License-Identifier: Apache-2.0
// The privacy loss distribution of a whole run, in the window of losses that decides about one delta or epsilon.
//
//     delta(epsilon) = sum over x > epsilon of P(L = x) (1 - e^(epsilon - x)) + P(L = infinity)
//
// Composition is convolution: transforms are raised to the number of releases and multiplied. Rounding of a transform in double
// precision leaves errors of about 1e-16 of the largest probability everywhere, far above the small probabilities that decide about
// a small delta. So every release is tilted by e^(tilt * L) first, which makes the losses in question the likely ones [KJPH21]; the
// transform's errors are relative to them, and delta has its digits wherever it lies.
//
// Losses outside of the window wrap round into it; the plan makes them less than 1e-17 of the tilted distribution. They are added to a
// pessimistic curve here, and taken off an optimistic one by who knows how many they are; the transform's errors are accounted for here.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ghostgrad/privacy/pld_cells.h"
#include "ghostgrad/privacy/pld_fft.h"
#include "ghostgrad/privacy/pld_tails.h"

namespace ghostgrad::privacy {

/// The window: `size` grid points (a power of two) round `centre`, in multiples of the interval.
struct WindowPlan {
  double interval = 0;
  double tilt = 0;
  std::int64_t centre = 0;
  std::int64_t size = 0;
};

/// A release and how often it happens.
struct CountedAtoms {
  LossAtoms atoms;
  double count = 1;
};

class LossWindow {
 public:
  LossWindow(std::vector<CountedAtoms> releases, const WindowPlan& plan, Side side, Fft& fft);

  [[nodiscard]] double delta(double epsilon) const;

  /// The least epsilon with this delta; infinity when it lies above the window, -infinity when it lies below.
  [[nodiscard]] double epsilon(double delta) const;

  /// The losses between which every digit is worth showing.
  [[nodiscard]] bool reliable_at(double epsilon) const { return epsilon >= reliable_from_ && epsilon <= reliable_to_; }
  [[nodiscard]] double reliable_to() const { return reliable_to_; }

  /// ln of what a share of the tilted distribution with losses from epsilon on adds to delta at most.
  [[nodiscard]] double log_weight(double epsilon) const { return log_scale_ - tilt_ * (epsilon - centre_); }

 private:
  [[nodiscard]] double loss(std::size_t i) const { return interval_ * static_cast<double>(first_ + static_cast<std::int64_t>(i)); }
  [[nodiscard]] double log_delta(std::size_t i) const;
  /// The first point whose delta is at most that; size_ where there is none.
  [[nodiscard]] std::size_t first_not_above(double log_delta_asked) const;

  double interval_;
  double tilt_;
  double centre_;
  std::int64_t first_;
  std::size_t size_;
  double log_scale_ = 0;    // of all masses
  double at_infinity_ = 0;  // unscaled
  std::unique_ptr<const LossTails> tails_{};
  double reliable_from_ = 0;
  double reliable_to_ = 0;
};

}  // namespace ghostgrad::privacy
