// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/statement.h"

#include <cstdlib>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ghostgrad::privacy {
namespace {

PrivacyStatement good() {
  return {.epsilon = 2.08734,
          .delta = 1e-5,
          .accountant = "rdp",
          .noise_multiplier = 1,
          .sample_rate = 0.01,
          .steps = 1000,
          .noise_is_private = true,
          .independence = Independence::audited,
          .data_set_size = 50000};
}

bool says(const PrivacyStatement& statement, const std::string& words) {
  return to_text(statement).find(words) != std::string::npos && to_json(statement).dump().find(words) != std::string::npos;
}

TEST(Statement, ReadsAsAPromiseWithAllItRestsOn) {
  EXPECT_EQ(
      to_text(good()),
      "(2.088, 1e-05)-differential privacy under adding or removing one example, by the rdp accountant\n"
      "1000 releases, noise multiplier 1, sample rate 0.01\n"
      "independence of examples: checked on a batch of this run: replacing some examples moved no other example's loss or gradient\n");
  EXPECT_TRUE(promises_privacy(good()));
}

TEST(Statement, GivesEveryDigitToPrograms) {
  const auto json = to_json(good());
  EXPECT_EQ(json.at("epsilon"), 2.08734);
  EXPECT_EQ(json.at("delta"), 1e-5);
  EXPECT_EQ(json.at("adjacency"), "add_remove");
  EXPECT_EQ(json.at("accountant"), "rdp");
  EXPECT_EQ(json.at("noise_multiplier"), 1);
  EXPECT_EQ(json.at("sample_rate"), 0.01);
  EXPECT_EQ(json.at("steps"), 1000);
  EXPECT_EQ(json.at("private"), true);
  EXPECT_EQ(json.at("noise_key"), "private");
  EXPECT_EQ(json.at("independence"), "audited");
  EXPECT_EQ(json.at("data_set_size"), 50000);
  EXPECT_TRUE(json.at("warnings").empty());
}

TEST(RoundedUp, GivesFourDigitsThatAreNeverBelowTheValue) {
  for (const double value :
       {0.0, 1.00001, 9.9999, 9.99999, 0.12341, 0.1234, 123.45, 99999.0, 3.0, 1e-9, 2.0000000001, 1.00049e-310, 5e-324}) {
    const double shown = std::strtod(rounded_up(value).c_str(), nullptr);
    EXPECT_GE(shown, value);
    EXPECT_LE(shown, value * 1.0011);
    EXPECT_LE(rounded_up(value).size(), 10u);
  }
  EXPECT_EQ(rounded_up(std::numeric_limits<double>::infinity()), "inf");
}

TEST(Statement, SaysThatATestKeyPromisesNothing) {
  auto statement = good();
  statement.noise_is_private = false;
  EXPECT_TRUE(says(statement, "NOT PRIVATE: test key"));
  EXPECT_FALSE(promises_privacy(statement));
  EXPECT_EQ(to_json(statement).at("private"), false);
  EXPECT_FALSE(PrivacyStatement{}.noise_is_private) << "privacy is claimed, not the default";
}

TEST(Statement, SaysThatAnInfiniteEpsilonPromisesNothing) {
  auto statement = good();
  statement.epsilon = std::numeric_limits<double>::infinity();
  EXPECT_NE(to_text(statement).find("NOT PRIVATE: epsilon is infinite"), std::string::npos);
  EXPECT_EQ(to_json(statement).at("epsilon"), "infinity");
  EXPECT_EQ(to_json(statement).at("private"), false);
}

TEST(Statement, SaysWhenIndependenceWasNotChecked) {
  for (const auto independence : {Independence::not_audited, Independence::assumed}) {
    auto statement = good();
    statement.independence = independence;
    EXPECT_TRUE(says(statement, "run the independence check"));
    EXPECT_EQ(to_json(statement).at("independence"), to_text(independence));
  }
  EXPECT_EQ(PrivacyStatement{}.independence, Independence::not_audited);
}

TEST(Statement, WarnsWhenDeltaIsNotBelowOneOverN) {
  auto statement = good();
  EXPECT_FALSE(says(statement, "data set size ="));
  statement.delta = 1.0 / 50000;
  EXPECT_TRUE(says(statement, "is not below 1 / data set size"));
  statement.data_set_size.reset();
  EXPECT_FALSE(says(statement, "is not below 1 / data set size"));
}

TEST(Statement, CarriesTheWarningsOfOthers) {
  auto statement = good();
  statement.warnings = {"something odd"};
  EXPECT_TRUE(says(statement, "something odd"));
}

}  // namespace
}  // namespace ghostgrad::privacy
