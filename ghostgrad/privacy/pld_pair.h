// SPDX-License-Identifier: Apache-2.0
// The pair of distributions on a line that one release is at worst as easy to tell apart as [ZDW22], in units of the threshold C:
//
//     sampled     P = (1-q) N(0, sigma^2) + q N(1, sigma^2)    Q = N(0, sigma^2)                              remove; P and Q swapped: add
//     replaced    P = (1-q) N(0, sigma^2) + q N(1, sigma^2)    Q = (1-q) N(0, sigma^2) + q N(-1, sigma^2)     replace one [LRKS24]
//
// The privacy loss L(z) = ln(P/Q)(z) grows with z in both, so that an interval of losses is an interval of outcomes:
//
//     M(z) = 1 - q + q e^((2z-1) / (2 sigma^2)),    sampled: L = ln M(z),    replaced: L = ln M(z) - ln M(-z)
//
//     const LossPair pair{.sigma = 1, .sample_rate = 0.01};
//     loss_at(pair, place_of(pair, 0.3)) == 0.3;
#pragma once

#include <compare>

namespace ghostgrad::privacy {

struct LossPair {
  double sigma = 1;
  double sample_rate = 1;
  bool replaced = false;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads the line
  [[nodiscard]] friend auto operator<=>(const LossPair&, const LossPair&) = default;
};

/// Where to cut: outcomes beyond these places count as lying outside of all intervals.
struct Reach {
  double from;
  double to;
};

/// Places beyond which P and Q have less than e^log_tail each, roughly.
[[nodiscard]] Reach reach_of(const LossPair& pair, double log_tail);

[[nodiscard]] double loss_at(const LossPair& pair, double z);

/// The inverse of loss_at; -infinity for losses below all of them, ln(1 - q) for a sampled pair.
[[nodiscard]] double place_of(const LossPair& pair, double loss);

/// ln of the density of P.
[[nodiscard]] double log_density(const LossPair& pair, double z);

/// The probabilities of an interval of outcomes.
struct Masses {
  double p;
  double q;
  double excess;  // p - q, without the digits that cancel for small sample rates
};

/// A place with the normal tails that the masses of the intervals on both of its sides need.
class Boundary {
 public:
  Boundary(const LossPair& pair, double z);

  /// The masses of (lower, upper].
  friend Masses between(const LossPair& pair, const Boundary& lower, const Boundary& upper);

 private:
  // The smaller tail of each normal distribution at the place; its sign bit says that it is the upper one.
  double centre_;
  double shifted_;
  double opposite_;
};

[[nodiscard]] Masses between(const LossPair& pair, const Boundary& lower, const Boundary& upper);

}  // namespace ghostgrad::privacy
