// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/attacker.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/privacy/accountants.h"

namespace ghostgrad::privacy {
namespace {

/// Says what the test wants, by the closed form of (epsilon, 0)-differential privacy.
class Pure : public Accountant {
 public:
  explicit Pure(double epsilon, Adjacency adjacency = Adjacency::add_remove, bool approximates = false)
      : Accountant(adjacency), epsilon_(epsilon), approximates_(approximates) {
    compose(gaussian(1));
  }
  [[nodiscard]] std::string_view name() const override { return "pure"; }

 private:
  [[nodiscard]] bool supports_part(const Event&) const override { return true; }
  void add(const Part&) override {}
  [[nodiscard]] Bound epsilon_of_all(double) const override { return {epsilon_}; }
  [[nodiscard]] Bound delta_of_all(double epsilon) const override {
    Bound bound{epsilon >= epsilon_ ? 0 : (std::exp(epsilon_) - std::exp(epsilon)) / (1 + std::exp(epsilon_))};
    bound.is_approximation = approximates_;
    return bound;
  }
  double epsilon_;
  bool approximates_;
};

TEST(Attacker, IsRightAsOftenAsRandomizedResponseAllows) {
  const auto limits = attacker_limits(Pure(std::log(3)));
  EXPECT_NEAR(limits.accuracy, 0.75, 1e-9);
  EXPECT_NEAR(limits.true_positive_rate, 0.003, 1e-9);
  EXPECT_NEAR(attacker_limits(Pure(std::log(3)), 0.25).true_positive_rate, 0.75, 1e-6);
}

TEST(Attacker, KnowsEverythingWhenThereIsNoNoise) {
  const auto accountant = make_accountant("rdp");
  accountant->compose(gaussian(0));
  const auto limits = attacker_limits(*accountant);
  EXPECT_EQ(limits.accuracy, 1);
  EXPECT_EQ(limits.true_positive_rate, 1);
  EXPECT_NE(in_plain_words(limits).find("at most 100 %"), std::string::npos);
}

TEST(Attacker, TossesACoinWhenNothingIsReleased) {
  const auto limits = attacker_limits(*make_accountant("rdp"));
  EXPECT_NEAR(limits.accuracy, 0.5, 1e-12);
  EXPECT_NEAR(limits.true_positive_rate, 1e-3, 1e-12);
}

TEST(Attacker, IsDescribedInPlainWordsRoundedUp) {
  EXPECT_EQ(in_plain_words({.accuracy = 0.612341, .true_positive_rate = 0.00406847}),
            "An attacker who knows everything but whether one given example was used is right about it at most 61.24 % of the time, where "
            "tossing a coin gives 50 %; one who wrongly accuses at most 0.1 % of unused examples finds at most 0.4069 % of used ones.");
}

TEST(Attacker, IsAskedWhatTheAdjacencyHides) {
  EXPECT_NE(in_plain_words(attacker_limits(Pure(1, Adjacency::replace_one))).find("which of two"), std::string::npos);
  EXPECT_NE(in_plain_words(attacker_limits(Pure(1, Adjacency::zero_out))).find("contributed"), std::string::npos);
}

TEST(Attacker, IsOnlyApproximatelyLimitedByAnApproximation) {
  const auto limits = attacker_limits(Pure(1, Adjacency::add_remove, true));
  EXPECT_TRUE(limits.is_approximation);
  EXPECT_NE(in_plain_words(limits).find("not a guarantee"), std::string::npos);
  EXPECT_EQ(to_json(limits).at("is_approximation"), true);
}

TEST(Attacker, GivesEveryDigitToPrograms) {
  const auto limits = attacker_limits(Pure(std::log(3)));
  const auto json = to_json(limits);
  EXPECT_EQ(json.at("accuracy"), limits.accuracy);
  EXPECT_EQ(json.at("true_positive_rate"), limits.true_positive_rate);
  EXPECT_EQ(json.at("false_positive_rate"), 1e-3);
  EXPECT_EQ(json.at("in_words"), in_plain_words(limits));
}

}  // namespace
}  // namespace ghostgrad::privacy
