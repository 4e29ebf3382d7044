// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/schedule.h"

#include <cmath>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::engine {
namespace {

TrainerOptions with_noise(double noise_multiplier) {
  TrainerOptions options;
  options.noise_multiplier = noise_multiplier;
  return options;
}

TrainerOptions with_epsilon(double epsilon) {
  TrainerOptions options;
  options.epsilon = epsilon;
  return options;
}

TEST(Schedule, HasTheCeilingOfEpochsTimesExamplesOverBatchSteps) {
  TrainerOptions options = with_noise(1);
  options.batch = 300;
  options.epochs = 3;
  EXPECT_EQ(make_schedule(options, 1000).steps, 10);
  EXPECT_EQ(make_schedule(options, 1001).steps, 11);  // 10.01
  options.epochs = 1;
  EXPECT_EQ(make_schedule(options, 899).steps, 3);  // int(1 / q) would lose one
}

TEST(Schedule, SamplesAtBatchOverDataSetSize) {
  TrainerOptions options = with_noise(1);
  options.batch = 256;
  EXPECT_DOUBLE_EQ(make_schedule(options, 19000).sample_rate, 256.0 / 19000);
  EXPECT_DOUBLE_EQ(make_schedule(options, 256).sample_rate, 1.0);
}

TEST(Schedule, FindsTheLeastNoiseThatKeepsTheBudget) {
  const Schedule schedule = make_schedule(with_epsilon(3), 19000);
  EXPECT_LE(schedule.planned.epsilon, 3);
  EXPECT_GT(schedule.planned.epsilon, 2.99);
  EXPECT_LE(make_schedule(with_noise(schedule.noise_multiplier), 19000).planned.epsilon, 3);
}

TEST(Schedule, TakesAGivenNoiseMultiplierAsItIs) {
  EXPECT_EQ(make_schedule(with_noise(1.25), 4000).noise_multiplier, 1.25);
  EXPECT_TRUE(std::isinf(make_schedule(with_noise(0), 4000).planned.epsilon));
}

TEST(Schedule, WarnsExactlyWhenDeltaIsNotBelowOneOverTheDataSetSize) {
  TrainerOptions options = with_noise(1);
  options.delta = 1e-3;
  EXPECT_EQ(all_warnings(make_schedule(options, 999).planned).size(), 0U);
  const auto warnings = all_warnings(make_schedule(options, 1000).planned);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("delta"), std::string::npos);
}

TEST(Schedule, RefusesABatchAboveTheDataSetSizeAndSaysTheSize) {
  try {
    (void)make_schedule(with_noise(1), 200);
    FAIL();
  } catch (const base::InvalidArgument& error) {
    EXPECT_EQ(error.complaint().where, "batch");
    EXPECT_NE(error.complaint().wrong.find("200"), std::string::npos);
    EXPECT_EQ(error.complaint().got, "512");
  }
}

TEST(Schedule, RefusesABudgetThatNoNoiseCanKeep) {
  TrainerOptions options = with_epsilon(1e-4);
  options.accountant = "rdp";  // whose orders end: below a thousandth it says nothing
  EXPECT_THROW((void)make_schedule(options, 4000), base::InvalidArgument);
}

struct Wrong {
  const char* option;
  std::function<void(TrainerOptions&)> spoil;
};

TEST(TrainerOptions, EachValueOutOfRangeIsRefusedByItsName) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<Wrong> wrongs = {
      {"epsilon", [](auto& o) { o.noise_multiplier.reset(); }},
      {"epsilon", [](auto& o) { o.epsilon = 3; }},
      {"epsilon", [](auto& o) { o.noise_multiplier.reset(), o.epsilon = -1; }},
      {"epsilon", [](auto& o) { o.noise_multiplier.reset(), o.epsilon = 0; }},
      {"epsilon", [&](auto& o) { o.noise_multiplier.reset(), o.epsilon = nan; }},
      {"noise_multiplier", [](auto& o) { o.noise_multiplier = -1; }},
      {"noise_multiplier", [&](auto& o) { o.noise_multiplier = infinity; }},
      {"delta", [](auto& o) { o.delta = 0; }},
      {"delta", [](auto& o) { o.delta = 1; }},
      {"delta", [&](auto& o) { o.delta = nan; }},
      {"accountant", [](auto& o) { o.accountant = "abacus"; }},
      {"clip", [](auto& o) { o.clip = 0; }},
      {"clip", [&](auto& o) { o.clip = infinity; }},
      {"clip_function", [](auto& o) { o.clip_function = "scissors"; }},
      {"batch", [](auto& o) { o.batch = 0; }},
      {"physical_batch", [](auto& o) { o.physical_batch = -64; }},
      {"epochs", [](auto& o) { o.epochs = 0; }},
      {"method", [](auto& o) { o.method = "magic"; }},
      {"method", [](auto& o) { o.method = "non_private"; }},
      {"optimizer", [](auto& o) { o.optimizer.name = "lion"; }},
      {"lr", [](auto& o) { o.optimizer.lr = 0; }},
      {"lr", [&](auto& o) { o.optimizer.lr = nan; }},
      {"momentum", [](auto& o) { o.optimizer.momentum = 1; }},
      {"momentum", [](auto& o) { o.optimizer.name = "adam", o.optimizer.momentum = 0.9; }},
  };
  for (const Wrong& wrong : wrongs) {
    TrainerOptions options = with_noise(1);
    ASSERT_NO_THROW((void)make_schedule(options, 4000));
    wrong.spoil(options);
    try {
      (void)make_schedule(options, 4000);
      ADD_FAILURE() << wrong.option << " was accepted";
    } catch (const base::InvalidArgument& error) {
      EXPECT_EQ(error.complaint().where, wrong.option);
      EXPECT_FALSE(error.complaint().got.empty()) << wrong.option;
      EXPECT_FALSE(error.complaint().remedy.empty()) << wrong.option;
    }
  }
}

TEST(TrainerOptions, NonPrivateIsAllowedWithoutNoise) {
  TrainerOptions options = with_noise(0);
  options.method = "non_private";
  EXPECT_TRUE(std::isinf(make_schedule(options, 4000).planned.epsilon));
}

}  // namespace
}  // namespace ghostgrad::engine
