// SPDX-License-Identifier: Apache-2.0
// Where a monotone bound crosses a target: the one search behind calibration of noise, steps, sample rate and delta.
//
//     const Axis noise{.least = 1e-9, .most = 1e9, .start = 1, .good_when_large = true};
//     const auto found = find_boundary(noise, 3.0, [](double sigma) { return epsilon_of(sigma); });
//     found.good->at;      // the question was asked at this very point, and its answer is <= 3
//
// The unknown x is positive and searched by its logarithm: first bracketed with steps that grow, then solved for
// ln(answer / target) = 0 by inverse quadratic interpolation with bisection [Cha97]. Rounding and small wiggles of the answer are
// harmless: an end of the bracket is never a computed root, always a point that was asked.
//
// Guarantee: good->answer.value <= target, and what is bad, if anything, lies within a relative 1e-9 of it (next to it, if integral);
// at most max_questions questions.
#pragma once

#include <functional>
#include <optional>

#include "ghostgrad/privacy/accountant.h"

namespace ghostgrad::privacy {

constexpr int max_questions = 200;

/// The range of the unknown, and on which side of it the answer is small.
struct Axis {
  double least;
  double most;
  double start;
  bool good_when_large;
  bool integral = false;
};

struct Answer {
  double at;
  Bound answer;
};

struct Boundary {
  std::optional<Answer> good{};  // empty: nowhere on the axis
  std::optional<Answer> bad{};   // empty: nowhere on the axis; otherwise the bad neighbour of what is good
  int questions = 0;
};

/// NaN counts as bad, so an accountant that fails cannot pass for one that promises.
[[nodiscard]] Boundary find_boundary(const Axis& axis, double target, const std::function<Bound(double)>& question);

}  // namespace ghostgrad::privacy
