// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/calibration.h"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::privacy {
namespace {

const AccountantFactory rdp = [] { return make_accountant("rdp"); };

double epsilon_of(double sigma, const TrainingBudget& target) {
  const auto accountant = rdp();
  accountant->compose(poisson_sampled(target.sample_rate, gaussian(sigma)), target.steps);
  return accountant->epsilon(target.delta).value;
}

TEST(Calibration, NeverExceedsTheTargetAndWastesLessThanAThousandth) {
  for (const auto& target :
       {TrainingBudget{3, 1e-5, 256.0 / 50000, 2000}, TrainingBudget{1, 1e-6, 0.1, 512}, TrainingBudget{8, 1e-5, 0.05, 100},
        TrainingBudget{1, 1e-5, 0.1, 10}, TrainingBudget{0.5, 1e-7, 0.001, 100000}, TrainingBudget{2, 1e-5, 1, 30}}) {
    const auto found = calibrate_noise(target, rdp);
    const double spent = epsilon_of(found.noise_multiplier, target);
    SCOPED_TRACE(testing::Message() << "epsilon " << target.epsilon << " q " << target.sample_rate << " steps " << target.steps);
    EXPECT_EQ(found.epsilon, spent);
    EXPECT_LE(spent, target.epsilon);
    EXPECT_GE(spent, 0.999 * target.epsilon);
    EXPECT_GT(epsilon_of(found.noise_multiplier * (1 - 1e-6), target), target.epsilon) << "less noise would have done";
    EXPECT_LE(found.questions, 30);
    EXPECT_TRUE(found.warnings.empty());
  }
}

TEST(Calibration, InvertsTheAccountant) {
  for (const double sigma : {0.45, 0.8, 1.3, 4.0, 50.0}) {
    TrainingBudget target{0, 1e-5, 0.02, 400};
    target.epsilon = epsilon_of(sigma, target);
    EXPECT_NEAR(calibrate_noise(target, rdp).noise_multiplier, sigma, 1e-7 * sigma);
  }
}

TEST(Calibration, AnswersExtremeTargetsInBoundedTime) {
  for (const auto& target :
       {TrainingBudget{50, 1e-5, 0.01, 1000}, TrainingBudget{0.1, 1e-12, 1, 1000000}, TrainingBudget{50, 1e-12, 1, 1},
        TrainingBudget{1, 1e-5, 1e-9, 1}, TrainingBudget{1e4, 1e-5, 0.5, 10}, TrainingBudget{3, 1e-5, 0.1, std::int64_t{1} << 62}}) {
    const auto found = calibrate_noise(target, rdp);
    EXPECT_LE(found.epsilon, target.epsilon);
    EXPECT_GE(found.epsilon, 0.999 * target.epsilon) << "epsilon " << target.epsilon << " q " << target.sample_rate;
    EXPECT_LE(found.questions, max_questions);
  }
}

TEST(Calibration, SaysWhyATargetIsOutOfReach) {
  try {
    (void)calibrate_noise({0.01, 1e-12, 0.01, 100}, rdp);
    FAIL() << "orders up to 1024 cannot show epsilon 0.01 at delta 1e-12";
  } catch (const base::InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("even with unlimited noise"), std::string::npos) << error.what();
  }
}

TEST(Calibration, WorksForAnyEventThatDependsOnTheNoise) {
  const EventOfNoise event = [](double sigma) {
    return composed({repeated(poisson_sampled(0.01, gaussian(sigma)), 500), gaussian(20 * sigma)});
  };
  const auto found = calibrate_noise(Budget{2, 1e-5}, event, rdp);
  const auto accountant = rdp();
  accountant->compose(event(found.noise_multiplier));
  EXPECT_EQ(accountant->epsilon(1e-5).value, found.epsilon);
  EXPECT_LE(found.epsilon, 2);
  EXPECT_GE(found.epsilon, 1.998);
}

TEST(Calibration, KeepsTheAccountantsWarnings) {
  EXPECT_FALSE(calibrate_noise({0.006, 1e-5, 1, 1}, rdp).warnings.empty()) << "the best order is 1024";
}

TEST(Calibration, WarnsWhenNoNoiseComesCloseToTheTarget) {
  // A constant cost beside the noise: epsilon jumps from far above the target to the constant's own.
  const EventOfNoise jump = [](double sigma) { return sigma < 2 ? gaussian(0) : gaussian(50); };
  const auto found = calibrate_noise(Budget{1, 1e-5}, jump, rdp);
  EXPECT_NEAR(found.noise_multiplier, 2, 1e-6);
  EXPECT_LT(found.epsilon, 0.999);
  ASSERT_FALSE(found.warnings.empty());
}

constexpr TrainingBudget run{.epsilon = 3, .delta = 1e-5, .sample_rate = 0.01, .steps = 2000, .noise_multiplier = 1};

std::string refusal(Unknown unknown, const TrainingBudget& known) {
  try {
    (void)calibrate(unknown, known, rdp);
  } catch (const base::InvalidArgument& error) {
    return error.what();
  }
  return "";
}

TEST(Calibration, FindsTheMostStepsAndOneMoreWouldExceed) {
  const auto found = calibrate(Unknown::steps, run, rdp);
  auto spent = run;
  spent.steps = found.steps;
  EXPECT_EQ(epsilon_of(1, spent), found.epsilon);
  EXPECT_LE(found.epsilon, 3);
  ++spent.steps;
  EXPECT_GT(epsilon_of(1, spent), 3);
}

TEST(Calibration, FindsTheLargestSampleRate) {
  const auto found = calibrate(Unknown::sample_rate, run, rdp);
  EXPECT_LE(found.epsilon, 3);
  EXPECT_GE(found.epsilon, 2.997);
  EXPECT_EQ(found.steps, 2000);
  EXPECT_EQ(found.noise_multiplier, 1);
  EXPECT_EQ(found.delta, 1e-5);
}

TEST(Calibration, FindsTheLeastDelta) {
  const auto found = calibrate(Unknown::delta, run, rdp);
  const auto accountant = rdp();
  accountant->compose(poisson_sampled(0.01, gaussian(1)), 2000);
  EXPECT_LE(accountant->epsilon(found.delta).value, 3);
  EXPECT_NEAR(found.delta, accountant->delta(3).value, 1e-7 * found.delta);
  EXPECT_LE(found.questions, 10);
}

TEST(Calibration, SaysWhyNothingIsLeftToChoose) {
  auto tight = run;
  tight.epsilon = 1e-4;
  EXPECT_NE(refusal(Unknown::steps, tight).find("not one step keeps within"), std::string::npos) << refusal(Unknown::steps, tight);
  EXPECT_NE(refusal(Unknown::sample_rate, tight).find("no sample rate"), std::string::npos);
  auto noiseless = run;
  noiseless.noise_multiplier = 0;
  for (const auto unknown : {Unknown::steps, Unknown::sample_rate, Unknown::delta})
    EXPECT_NE(refusal(unknown, noiseless).find("epsilon inf"), std::string::npos);
}

TEST(Calibration, SaysWhenTheEndOfTheRangeKeepsWithin) {
  auto loose = run;
  loose.epsilon = 1e6;
  const auto rate = calibrate(Unknown::sample_rate, loose, rdp);
  EXPECT_EQ(rate.sample_rate, 1);
  ASSERT_FALSE(rate.warnings.empty());
  EXPECT_NE(rate.warnings.back().find("all examples"), std::string::npos) << rate.warnings.back();
  EXPECT_FALSE(calibrate(Unknown::delta, loose, rdp).warnings.empty());
}

TEST(Calibration, RefusesTargetsWithoutMeaning) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto unknown : {Unknown::noise_multiplier, Unknown::steps, Unknown::sample_rate, Unknown::delta}) {
    const auto refused = [&](auto TrainingBudget::*field, auto value) {
      auto changed = run;
      changed.*field = value;
      return !refusal(unknown, changed).empty();
    };
    for (const double epsilon : {0.0, -1.0, nan, infinity}) EXPECT_TRUE(refused(&TrainingBudget::epsilon, epsilon)) << epsilon;
    for (const double delta : {0.0, 1.0, nan}) EXPECT_EQ(refused(&TrainingBudget::delta, delta), unknown != Unknown::delta) << delta;
    for (const double q : {0.0, 1.5, nan}) EXPECT_EQ(refused(&TrainingBudget::sample_rate, q), unknown != Unknown::sample_rate) << q;
    for (const double sigma : {-1.0, nan, infinity})
      EXPECT_EQ(refused(&TrainingBudget::noise_multiplier, sigma), unknown != Unknown::noise_multiplier) << sigma;
    for (const std::int64_t steps : {0, -5}) EXPECT_EQ(refused(&TrainingBudget::steps, steps), unknown != Unknown::steps) << steps;
  }
}

}  // namespace
}  // namespace ghostgrad::privacy
