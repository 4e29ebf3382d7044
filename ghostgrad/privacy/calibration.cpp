// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/checks.h"

namespace ghostgrad::privacy {
namespace {

/// What can be unknown. The ranges end far beyond any practical question, and where double precision still tells neighbours apart.
struct Row {
  Unknown unknown;
  std::string_view end;          // "... keeps within": the good end of the axis
  std::string_view unreachable;  // the promise that is out of reach
  std::string_view best;         // when the accountant's best is reached
  Axis axis;
};

constexpr std::array rows = {
    Row{Unknown::noise_multiplier, "hardly any noise", "no noise reaches", "even with unlimited noise",
        Axis{.least = 0x1p-40, .most = 0x1p60, .start = 1, .good_when_large = true}},
    Row{Unknown::steps, "any practical number of steps", "not one step keeps within", "after one step",
        Axis{.least = 1, .most = 0x1p53, .start = 1, .good_when_large = false, .integral = true}},
    Row{Unknown::sample_rate, "even training on all examples at each step", "no sample rate reaches", "even with the least sample rate",
        Axis{.least = 1e-15, .most = 1, .start = 0.01, .good_when_large = false}},
    Row{Unknown::delta, "any delta", "no delta reaches", "even with delta almost 1",
        Axis{.least = 1e-300, .most = 1 - 0x1p-40, .start = 1e-5, .good_when_large = true}},
};

constexpr const Row& row(Unknown unknown) { return rows.at(static_cast<std::size_t>(unknown)); }
static_assert(row(Unknown::noise_multiplier).unknown == Unknown::noise_multiplier && row(Unknown::steps).unknown == Unknown::steps &&
              row(Unknown::sample_rate).unknown == Unknown::sample_rate && row(Unknown::delta).unknown == Unknown::delta);

double checked_target(double epsilon) {
  if (checked_epsilon(epsilon) > 0 && std::isfinite(epsilon)) return epsilon;
  throw base::InvalidArgument("epsilon", "must be positive and finite to be calibrated for", fmt::to_string(epsilon),
                              "pass a budget such as 3");
}

void check_known(Unknown unknown, const TrainingBudget& known) {
  checked_target(known.epsilon);
  if (unknown != Unknown::delta) checked_delta(known.delta);
  if (unknown != Unknown::sample_rate) checked_sample_rate(known.sample_rate);
  if (unknown != Unknown::noise_multiplier) checked_noise_multiplier(known.noise_multiplier);
  if (unknown != Unknown::steps && checked_count(known.steps) == 0) {
    throw base::InvalidArgument("steps", "must be at least 1", "0", "pass the number of releases");
  }
}

std::string with_delta(Unknown unknown, const Budget& target) {
  if (unknown == Unknown::delta) return fmt::format("epsilon {}", target.epsilon);
  return fmt::format("epsilon {} at delta {}", target.epsilon, target.delta);
}

/// What was found, or why not.
Calibration judged(Unknown unknown, const Budget& target, Boundary found) {
  const Row& what = row(unknown);
  if (!found.good) {
    throw base::InvalidArgument("calibration", fmt::format("{} {}", what.unreachable, with_delta(unknown, target)),
                                fmt::format("epsilon {:.6g} {}", found.bad->answer.value, what.best),
                                "ask for a larger epsilon or delta, or choose a tighter accountant");
  }
  Bound& bound = found.good->answer;
  Calibration result{.epsilon = bound.value,
                     .is_approximation = bound.is_approximation,
                     .questions = found.questions,
                     .warnings = std::move(bound.warnings)};
  if (bound.value >= 0.999 * target.epsilon) return result;
  if (!found.bad) {
    result.warnings.push_back(
        fmt::format("{} keeps within the target: epsilon {:.4g} of {:.4g} is used", what.end, bound.value, target.epsilon));
  } else if (!what.axis.integral) {
    result.warnings.push_back(fmt::format("only epsilon {:.4g} of the target {:.4g} is used: the accountant's answer jumps in between",
                                          bound.value, target.epsilon));
  }
  return result;
}

Bound epsilon_of(const Event& event, double delta, const AccountantFactory& make) {
  const auto accountant = make();
  accountant->compose(event);
  return accountant->epsilon(delta);
}

/// The numbers with x in the place of the unknown one.
TrainingBudget filled_in(Unknown unknown, TrainingBudget known, double x) {
  if (unknown == Unknown::noise_multiplier) known.noise_multiplier = x;
  if (unknown == Unknown::steps) known.steps = static_cast<std::int64_t>(x);
  if (unknown == Unknown::sample_rate) known.sample_rate = x;
  if (unknown == Unknown::delta) known.delta = x;
  return known;
}

Event event_of(const TrainingBudget& run) { return repeated(poisson_sampled(run.sample_rate, gaussian(run.noise_multiplier)), run.steps); }

/// Where to begin: for delta the accountant's own inverse. The search still asks afresh, because answers may depend a little on what
/// the same accountant was asked before (where it put its grid).
Axis axis_of(Unknown unknown, const TrainingBudget& known, const AccountantFactory& make) {
  Axis axis = row(unknown).axis;
  if (unknown != Unknown::delta) return axis;
  const auto accountant = make();
  accountant->compose(event_of(known));
  axis.start = std::clamp(accountant->delta(known.epsilon).value, axis.least, axis.most);
  return axis;
}

}  // namespace

Calibration calibrate_noise(const Budget& target, const EventOfNoise& event, const AccountantFactory& make) {
  checked_delta(target.delta);
  checked_target(target.epsilon);
  const Axis& axis = row(Unknown::noise_multiplier).axis;
  const auto found = find_boundary(axis, target.epsilon, [&](double noise) { return epsilon_of(event(noise), target.delta, make); });
  auto result = judged(Unknown::noise_multiplier, target, found);
  result.noise_multiplier = found.good->at;
  result.delta = target.delta;
  return result;
}

Calibration calibrate(Unknown unknown, const TrainingBudget& known, const AccountantFactory& make) {
  check_known(unknown, known);
  const auto question = [&](double x) {
    const auto run = filled_in(unknown, known, x);
    return epsilon_of(event_of(run), run.delta, make);
  };
  const auto found = find_boundary(axis_of(unknown, known, make), known.epsilon, question);
  auto result = judged(unknown, {known.epsilon, known.delta}, found);
  const auto run = filled_in(unknown, known, found.good->at);
  result.noise_multiplier = run.noise_multiplier;
  result.sample_rate = run.sample_rate;
  result.steps = run.steps;
  result.delta = run.delta;
  return result;
}

Calibration calibrate_noise(const TrainingBudget& known, const AccountantFactory& make) {
  return calibrate(Unknown::noise_multiplier, known, make);
}

}  // namespace ghostgrad::privacy
