// SPDX-License-Identifier: Apache-2.0
// One of the numbers of a training run from the others, by any accountant: the least noise multiplier, the most steps, the largest
// sample rate or the least delta that keeps within (epsilon, delta).
//
//     const auto rdp = [] { return make_accountant("rdp"); };
//     const auto found = calibrate_noise({.epsilon = 3, .delta = 1e-5, .sample_rate = 256.0 / 50000, .steps = 2000}, rdp);
//     found.noise_multiplier; found.epsilon;
//     calibrate(Unknown::steps, {.epsilon = 3, .delta = 1e-5, .sample_rate = 0.01, .noise_multiplier = 1}, rdp).steps;
//
// Guarantee: the accountant was asked for the very numbers that are returned, and its epsilon does not exceed the target; at least
// 99.9 % of the target is used (of steps: one more would exceed it), or `warnings` says why not. A target out of reach throws
// base::InvalidArgument with the accountant's best. At most max_questions evaluations of the accountant. The promise is the
// accountant's: an accountant that only approximates gives an approximation, and `is_approximation` and `warnings` say so.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ghostgrad/privacy/accountants.h"
#include "ghostgrad/privacy/monotone_search.h"

namespace ghostgrad::privacy {

struct Budget {
  double epsilon;
  double delta;
};

/// The numbers of a training run; the one to be found is not read.
struct TrainingBudget {
  double epsilon = 0;
  double delta = 0;
  double sample_rate = 0;
  std::int64_t steps = 0;
  double noise_multiplier = 0;
};

enum class Unknown { noise_multiplier, steps, sample_rate, delta };

/// All five numbers, and what the accountant said of them.
struct Calibration {
  double noise_multiplier = 0;
  double sample_rate = 0;  // 0 and no steps where the events are the caller's own
  std::int64_t steps = 0;
  double delta = 0;
  double epsilon = 0;  // what is spent: at most the target
  bool is_approximation = false;
  int questions = 0;  // how often the accountant was asked
  std::vector<std::string> warnings{};
};

/// All that is released when the noise multiplier is the argument.
using EventOfNoise = std::function<Event(double noise_multiplier)>;

/// The least noise for any events that depend on it.
[[nodiscard]] Calibration calibrate_noise(const Budget& target, const EventOfNoise& event, const AccountantFactory& accountant);

/// For `steps` releases of the Poisson-subsampled Gaussian.
[[nodiscard]] Calibration calibrate(Unknown unknown, const TrainingBudget& known, const AccountantFactory& accountant);
[[nodiscard]] Calibration calibrate_noise(const TrainingBudget& known, const AccountantFactory& accountant);

}  // namespace ghostgrad::privacy
