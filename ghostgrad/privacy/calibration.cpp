// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/calibration.h"

#include <algorithm>
#include <cmath>

#include <boost/math/tools/toms748_solve.hpp>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/checks.h"

namespace ghostgrad::privacy {
namespace {

// Noise multipliers outside of these answer no practical question; both are far beyond what double precision can tell apart.
constexpr double smallest_noise = 0x1p-40;
constexpr double largest_noise = 0x1p60;

/// Asks the accountant, and remembers the smallest noise that was found good.
class Search {
 public:
  Search(const Budget& target, const EventOfNoise& event, const AccountantFactory& accountant)
      : target_(target), event_(event), accountant_(accountant) {}

  /// ln(epsilon / target), kept finite so that a root finder can work with it; <= 0 means good.
  double excess(double noise) {
    const auto accountant = accountant_();
    accountant->compose(event_(noise));
    auto bound = accountant->epsilon(target_.delta);
    ++questions_;
    last_epsilon_ = bound.value;
    const bool smallest = best_.noise_multiplier == 0 || noise < best_.noise_multiplier;
    if (last_epsilon_ <= target_.epsilon && smallest) best_ = {noise, last_epsilon_, 0, std::move(bound.warnings)};
    return std::clamp(std::log(last_epsilon_ / target_.epsilon), -50.0, 50.0);
  }

  [[nodiscard]] double last_epsilon() const { return last_epsilon_; }

  [[nodiscard]] Calibration result() const {
    auto result = best_;
    result.questions = questions_;
    if (result.epsilon < 0.999 * target_.epsilon) {
      result.warnings.push_back(fmt::format("only epsilon {:.4g} of the target {:.4g} is used: the accountant's answer jumps in between",
                                            result.epsilon, target_.epsilon));
    }
    return result;
  }

 private:
  Budget target_;
  const EventOfNoise& event_;
  const AccountantFactory& accountant_;
  Calibration best_;
  double last_epsilon_ = 0;
  int questions_ = 0;
};

struct Point {
  double log_noise;
  double excess;
};

Point ask(Search& search, double log_noise) { return {log_noise, search.excess(std::exp(log_noise))}; }

[[noreturn]] void throw_unreachable(const Budget& target, double best) {
  throw base::InvalidArgument("calibration", fmt::format("no noise reaches epsilon {} at delta {}", target.epsilon, target.delta),
                              fmt::format("epsilon {:.6g} even with unlimited noise", best),
                              "ask for a larger epsilon or delta, or choose a tighter accountant");
}

}  // namespace

Calibration calibrate_noise(const Budget& target, const EventOfNoise& event, const AccountantFactory& accountant) {
  checked_delta(target.delta);
  if (!(checked_epsilon(target.epsilon) > 0) || std::isinf(target.epsilon)) {
    throw base::InvalidArgument("epsilon", "must be positive and finite to be calibrated for", fmt::to_string(target.epsilon),
                                "pass a budget such as 3");
  }
  Search search(target, event, accountant);
  // Bracket the root between `bad` (too little noise) and `good`, by factors that grow.
  Point good = ask(search, 0);
  Point bad = good;
  for (double step = 1; good.excess > 0; step *= 2) {
    if (good.log_noise > std::log(largest_noise)) throw_unreachable(target, search.last_epsilon());
    bad = good;
    good = ask(search, good.log_noise + step);
  }
  for (double step = 1; bad.excess <= 0; step *= 2) {
    if (bad.log_noise < std::log(smallest_noise)) return search.result();
    good = bad;
    bad = ask(search, bad.log_noise - step);
  }
  const auto close = [](double a, double b) { return std::abs(a - b) < 1e-9; };
  std::uintmax_t questions = max_questions - 50;
  const auto excess = [&](double log_noise) { return ask(search, log_noise).excess; };
  boost::math::tools::toms748_solve(excess, bad.log_noise, good.log_noise, bad.excess, good.excess, close, questions);
  return search.result();
}

Calibration calibrate_noise(const TrainingBudget& target, const AccountantFactory& accountant) {
  checked_sample_rate(target.sample_rate);
  if (checked_count(target.steps) == 0) throw base::InvalidArgument("steps", "must be at least 1", "0", "pass the number of releases");
  const EventOfNoise event = [&](double noise) { return repeated(poisson_sampled(target.sample_rate, gaussian(noise)), target.steps); };
  return calibrate_noise(Budget{target.epsilon, target.delta}, event, accountant);
}

}  // namespace ghostgrad::privacy
