// SPDX-License-Identifier: Apache-2.0
// The cumulant generating function of privacy losses, K(t) = ln E_P[e^(t L)], by the trapezoidal rule. It says where the losses of a
// whole run lie, and under which exponential tilt the part that decides about a delta or an epsilon becomes the likely one:
//
//     tilted:  P_t(L = x) = P(L = x) e^(t x - K(t)),   mean K'(t), variance K''(t)
//     Chernoff: delta(epsilon) <= e^(K(t) - t epsilon) max over x >= 0 of (1 - e^-x) e^(-t x)  for every t >= 0
//
// Guarantee: none needed where these numbers choose a grid and a window, for what is computed on them bounds the truth for every choice.
// LossCurve::stays_below leaves a direction out by them, with a factor e for the errors of their quadrature.
#pragma once

#include <vector>

#include "ghostgrad/privacy/pld_pair.h"

namespace ghostgrad::privacy {

struct Cumulants {
  double value = 0;      // K(t)
  double slope = 0;      // K'(t)
  double curvature = 0;  // K''(t)
};

/// ln of max over x >= 0 of (1 - e^-x) e^(-t x) = t^t / (1+t)^(1+t): by that much is delta below Chernoff's bound on P(L > epsilon).
[[nodiscard]] double log_largest_part(double tilt);

/// One release, in one direction.
class LossNodes {
 public:
  /// Of the losses ln(P/Q) under P, or of ln(Q/P) under Q when `swapped`, for outcomes within reach; `weight` where this is one part
  /// of a mixture.
  void add(const LossPair& pair, bool swapped, const Reach& reach, double weight = 1);

  [[nodiscard]] Cumulants at(double tilt) const;

 private:
  std::vector<double> loss_;
  std::vector<double> log_mass_;
};

/// A whole run: K adds up.
class RunMoments {
 public:
  void add(LossNodes nodes, double count) { releases_.push_back({std::move(nodes), count}); }

  [[nodiscard]] Cumulants at(double tilt) const;

  /// The tilt t >= 0 whose Chernoff bound reaches this delta: K(t) - t K'(t) + log_largest_part(t) = log_delta.
  [[nodiscard]] double tilt_for_delta(double log_delta) const;

  /// The tilt t >= 0 with mean epsilon; 0 where the mean is larger already.
  [[nodiscard]] double tilt_for_epsilon(double epsilon) const;

 private:
  struct Counted {
    LossNodes nodes;
    double count;
  };
  std::vector<Counted> releases_;
};

}  // namespace ghostgrad::privacy
