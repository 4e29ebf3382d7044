// SPDX-License-Identifier: Apache-2.0
// All (epsilon, delta) of a run at once, and what they leave to an attacker.
//
// A privacy curve gives for every epsilon >= 0 a delta that is not exceeded. It bounds every test of "was this example used": at false
// positive rate alpha, the false negative rate is at least [DRS22, Sec. 2], [KOV15]
//
//     f(alpha) = sup over epsilon >= 0 of  max(0, 1 - delta - e^epsilon alpha, e^-epsilon (1 - delta - alpha))
//
// and with equal odds beforehand no guess is right more often than (1 + TV) / 2, TV <= inf of (e^epsilon - 1 + 2 delta) / (e^epsilon + 1).
//
//     const TradeOff trade_off(delta_of(*accountant));
//     trade_off.best_true_positive_rate(1e-3);      // no attack finds more of the members at one false alarm in a thousand
//
// Guarantee: every epsilon that is tried gives a valid bound, so the results hold wherever the search for the best epsilon ends; for the
// exact (convex) curve of a mechanism it ends at the best one.
#pragma once

#include <functional>
#include <vector>

#include "ghostgrad/privacy/accountant.h"

namespace ghostgrad::privacy {

struct CurvePoint {
  double epsilon;
  double delta;
};

/// An upper bound on delta, in [0, 1], for each epsilon >= 0.
using DeltaOf = std::function<double(double epsilon)>;

/// What the accountant answers; the accountant must outlive the function.
[[nodiscard]] DeltaOf delta_of(const Accountant& accountant);

/// `count` >= 2 points with epsilon evenly from 0 to `last`.
[[nodiscard]] std::vector<CurvePoint> even_curve(const DeltaOf& delta, double last, int count);

class TradeOff {
 public:
  explicit TradeOff(DeltaOf delta);

  /// f(alpha): at least this false negative rate at this false positive rate in [0, 1].
  [[nodiscard]] double false_negative_rate(double false_positive_rate) const;
  [[nodiscard]] double best_true_positive_rate(double false_positive_rate) const;

  /// The largest probability of guessing right, with equal odds beforehand: in [1/2, 1].
  [[nodiscard]] double best_accuracy() const;

 private:
  using Score = std::function<double(const CurvePoint&)>;
  [[nodiscard]] double largest(const Score& score) const;

  DeltaOf delta_;
  std::vector<CurvePoint> points_;  // where the search begins: epsilon from 0 up, growing geometrically
};

}  // namespace ghostgrad::privacy
