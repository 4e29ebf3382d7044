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

TEST(Calibration, RefusesTargetsWithoutMeaning) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double epsilon : {0.0, -1.0, nan, infinity})
    EXPECT_THROW((void)calibrate_noise({epsilon, 1e-5, 0.1, 10}, rdp), base::InvalidArgument);
  for (const double delta : {0.0, 1.0, nan}) EXPECT_THROW((void)calibrate_noise({1, delta, 0.1, 10}, rdp), base::InvalidArgument);
  for (const double q : {0.0, 1.5, nan}) EXPECT_THROW((void)calibrate_noise({1, 1e-5, q, 10}, rdp), base::InvalidArgument);
  for (const std::int64_t steps : {0, -5}) EXPECT_THROW((void)calibrate_noise({1, 1e-5, 0.1, steps}, rdp), base::InvalidArgument);
}

}  // namespace
}  // namespace ghostgrad::privacy
