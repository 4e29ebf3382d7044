// SPDX-License-Identifier: Apache-2.0
// What calibration must do, whatever the accountant and whatever the unknown.
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/calibration.h"

namespace ghostgrad::privacy {
namespace {

class CalibrationLaws : public testing::TestWithParam<std::string_view> {
 protected:
  static AccountantFactory factory() {
    return [] { return make_accountant(GetParam()); };
  }

  static bool samples() { return factory()()->supports(poisson_sampled(0.5, gaussian(1))); }

  /// A run that the accountant serves.
  static TrainingBudget run() {
    if (samples()) return {.epsilon = 2, .delta = 1e-5, .sample_rate = 0.02, .steps = 400, .noise_multiplier = 1.2};
    return {.epsilon = 2, .delta = 1e-5, .sample_rate = 1, .steps = 400, .noise_multiplier = 60};
  }

  static std::vector<Unknown> unknowns() {
    std::vector<Unknown> all = {Unknown::noise_multiplier, Unknown::steps, Unknown::delta};
    if (samples()) all.push_back(Unknown::sample_rate);
    return all;
  }

  static double epsilon_of(const TrainingBudget& run) {
    const auto accountant = factory()();
    accountant->compose(poisson_sampled(run.sample_rate, gaussian(run.noise_multiplier)), run.steps);
    return accountant->epsilon(run.delta).value;
  }

  static TrainingBudget as_run(const Calibration& found) {
    return {found.epsilon, found.delta, found.sample_rate, found.steps, found.noise_multiplier};
  }

  /// The found numbers keep the promise when asked again, and (steps apart) use it.
  static void expect_kept(Unknown unknown, const TrainingBudget& target) {
    const auto found = calibrate(unknown, target, factory());
    SCOPED_TRACE(testing::Message() << "unknown " << static_cast<int>(unknown) << " epsilon " << target.epsilon << " delta "
                                    << target.delta);
    EXPECT_NEAR(epsilon_of(as_run(found)), found.epsilon, 1e-9 * found.epsilon);
    EXPECT_LE(found.epsilon, target.epsilon);
    if (unknown != Unknown::steps && found.warnings.empty()) {
      EXPECT_GE(found.epsilon, 0.999 * target.epsilon);
    }
    EXPECT_LE(found.questions, 40);
  }
};

TEST_P(CalibrationLaws, WhatIsFoundKeepsTheTarget) {
  for (const auto unknown : unknowns()) expect_kept(unknown, run());
}

TEST_P(CalibrationLaws, InvertsTheAccountantForEveryUnknown) {
  auto exact = run();
  exact.epsilon = epsilon_of(exact);
  EXPECT_NEAR(calibrate_noise(exact, factory()).noise_multiplier, exact.noise_multiplier, 1e-4 * exact.noise_multiplier);
  EXPECT_NEAR(calibrate(Unknown::delta, exact, factory()).delta, exact.delta, 1e-3 * exact.delta);
  if (samples()) {
    EXPECT_NEAR(calibrate(Unknown::sample_rate, exact, factory()).sample_rate, exact.sample_rate, 1e-4 * exact.sample_rate);
  }
  exact.epsilon *= 1 + 1e-5;  // on the safe side of the last digits
  EXPECT_EQ(calibrate(Unknown::steps, exact, factory()).steps, exact.steps);
}

TEST_P(CalibrationLaws, OneMoreStepWouldExceed) {
  const auto found = calibrate(Unknown::steps, run(), factory());
  auto more = as_run(found);
  ++more.steps;
  EXPECT_GT(epsilon_of(more), run().epsilon);
}

TEST_P(CalibrationLaws, LargerBudgetsNeedLessNoiseAndAllowMore) {
  auto small = run();
  small.epsilon = 1;
  const auto large = run();
  EXPECT_GT(calibrate_noise(small, factory()).noise_multiplier, calibrate_noise(large, factory()).noise_multiplier);
  EXPECT_LT(calibrate(Unknown::steps, small, factory()).steps, calibrate(Unknown::steps, large, factory()).steps);
  EXPECT_GT(calibrate(Unknown::delta, small, factory()).delta, calibrate(Unknown::delta, large, factory()).delta);
  if (samples()) {
    EXPECT_LT(calibrate(Unknown::sample_rate, small, factory()).sample_rate, calibrate(Unknown::sample_rate, large, factory()).sample_rate);
  }
}

TEST_P(CalibrationLaws, AnApproximationIsCalledOne) {
  const bool approximates = [] {
    const auto accountant = factory()();
    accountant->compose(poisson_sampled(run().sample_rate, gaussian(1)));
    return accountant->epsilon(1e-5).is_approximation;
  }();
  for (const auto unknown : unknowns()) {
    const auto found = calibrate(unknown, run(), factory());
    EXPECT_EQ(found.is_approximation, approximates);
    EXPECT_TRUE(!approximates || !found.warnings.empty());
  }
}

// One extreme at a time, and all at once.
TEST_P(CalibrationLaws, ExtremeTargetsAreAnsweredOrRefusedSlow) {
  const auto usual = run();
  std::vector<TrainingBudget> targets(7, usual);
  targets[0].epsilon = 0.01;
  targets[1].epsilon = 50;
  targets[2].delta = 1e-12;
  targets[3].sample_rate = 1;
  targets[4].steps = 1;
  targets[5].steps = 1000000;
  targets[6] = {.epsilon = 0.01, .delta = 1e-12, .sample_rate = 1, .steps = 1000000, .noise_multiplier = usual.noise_multiplier};
  int answered = 0;
  for (const auto& target : targets) {
    for (const auto unknown : unknowns()) {
      try {
        expect_kept(unknown, target);
        ++answered;
      } catch (const base::InvalidArgument& refused) {
        EXPECT_NE(std::string(refused.what()).find("[calibration]"), std::string::npos) << refused.what();
      }
    }
  }
  EXPECT_GE(answered, 14);
}

bool is_cheap(std::string_view name) { return name == "rdp" || name == "analytic" || name == "gdp"; }

std::vector<std::string_view> names(bool cheap) {
  std::vector<std::string_view> all;
  for (const auto& row : accountants()) {
    if (is_cheap(row.name) == cheap) all.push_back(row.name);
  }
  return all;
}

std::string name_of(const testing::TestParamInfo<std::string_view>& each) { return std::string(each.param); }

INSTANTIATE_TEST_SUITE_P(Cheap, CalibrationLaws, testing::ValuesIn(names(true)), name_of);
INSTANTIATE_TEST_SUITE_P(Slow, CalibrationLaws, testing::ValuesIn(names(false)), name_of);

// Known answers of independent programs: the analytic Gaussian [BW18], and connected dots with intervals of 1e-4.
TEST(CalibrationKnownAnswers, OfTheAnalyticGaussian) {
  const auto analytic = [] { return make_accountant("analytic"); };
  const auto noise_for = [&](double epsilon, double delta) { return calibrate_noise({epsilon, delta, 1, 1}, analytic).noise_multiplier; };
  EXPECT_NEAR(noise_for(1, 1e-5), 3.730631634816, 4e-9);
  EXPECT_NEAR(noise_for(0.5, 1e-6), 8.057618480725, 8e-9);
  EXPECT_NEAR(noise_for(8, 1e-5), 0.600229072199, 6e-10);
}

TEST(CalibrationKnownAnswers, OfPrivacyLossDistributionsSlow) {
  const auto noise_for = [](const TrainingBudget& target) {
    return calibrate_noise(target, [] { return make_accountant("pld"); }).noise_multiplier;
  };
  EXPECT_NEAR(noise_for({1, 1e-6, 0.1, 512}), 9.661829336, 1e-5 * 9.66);
  EXPECT_NEAR(noise_for({8, 1e-5, 0.05, 100}), 0.695692079, 1e-5);
  EXPECT_NEAR(noise_for({1, 1e-5, 0.1, 10}), 1.740578307, 1e-5 * 1.74);
}

}  // namespace
}  // namespace ghostgrad::privacy
