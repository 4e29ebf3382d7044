// SPDX-License-Identifier: Apache-2.0
// The smallest noise that keeps a training run within (epsilon, delta), by any accountant.
//
//     const auto found = calibrate_noise({.epsilon = 3, .delta = 1e-5, .sample_rate = 256.0 / 50000, .steps = 2000},
//                                        [] { return make_accountant("rdp"); });
//     found.noise_multiplier; found.epsilon;
//
// Guarantee: the accountant was asked for the very noise multiplier that is returned, and its epsilon does not exceed the target;
// at least 99.9 % of the target is used, or `warnings` says why not. A target that no noise reaches throws base::InvalidArgument
// with the accountant's best. At most max_questions evaluations of the accountant.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ghostgrad/privacy/accountants.h"

namespace ghostgrad::privacy {

struct Budget {
  double epsilon;
  double delta;
};

struct TrainingBudget {
  double epsilon;
  double delta;
  double sample_rate;
  std::int64_t steps;
};

struct Calibration {
  double noise_multiplier = 0;
  double epsilon = 0;
  int questions = 0;  // how often the accountant was asked
  std::vector<std::string> warnings{};
};

/// All that is released when the noise multiplier is the argument.
using EventOfNoise = std::function<Event(double noise_multiplier)>;

constexpr int max_questions = 200;

[[nodiscard]] Calibration calibrate_noise(const Budget& target, const EventOfNoise& event, const AccountantFactory& accountant);

/// The Poisson-subsampled Gaussian, `steps` times.
[[nodiscard]] Calibration calibrate_noise(const TrainingBudget& target, const AccountantFactory& accountant);

}  // namespace ghostgrad::privacy
