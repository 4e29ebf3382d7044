// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/attacker.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/privacy/curve.h"
#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::privacy {
namespace {

struct Secret {
  std::string_view question;
  std::string_view no;   // what holds when the attacker accuses wrongly
  std::string_view yes;  // and rightly
};

Secret secret_of(Adjacency adjacency) {
  switch (adjacency) {
    case Adjacency::add_remove:
      return {"whether one given example was used", "unused", "used"};
    case Adjacency::replace_one:
      return {"which of two given examples was used", "examples of the other kind", "examples of one kind"};
    case Adjacency::zero_out:
      return {"whether one given example contributed", "blank", "contributing"};
  }
  return {};
}

std::string percent(double rate) { return rounded_up(std::min(100 * rate, 100.0)); }

}  // namespace

AttackerLimits attacker_limits(const Accountant& accountant, double false_positive_rate) {
  const TradeOff trade_off(delta_of(accountant));
  return {.adjacency = accountant.adjacency(),
          .is_approximation = accountant.delta(0).is_approximation,
          .accuracy = trade_off.best_accuracy(),
          .false_positive_rate = false_positive_rate,
          .true_positive_rate = trade_off.best_true_positive_rate(false_positive_rate)};
}

std::string in_plain_words(const AttackerLimits& limits) {
  const auto secret = secret_of(limits.adjacency);
  std::string text = limits.is_approximation ? "As an approximation, not a guarantee: an attacker" : "An attacker";
  text += fmt::format(" who knows everything but {} is right about it at most {} % of the time, where tossing a coin gives 50 %; ",
                      secret.question, percent(limits.accuracy));
  text += fmt::format("one who wrongly accuses at most {} % of {} examples finds at most {} % of {} ones.",
                      fmt::format("{:.4g}", 100 * limits.false_positive_rate), secret.no, percent(limits.true_positive_rate), secret.yes);
  return text;
}

nlohmann::json to_json(const AttackerLimits& limits) {
  return {{"accuracy", limits.accuracy},
          {"false_positive_rate", limits.false_positive_rate},
          {"true_positive_rate", limits.true_positive_rate},
          {"is_approximation", limits.is_approximation},
          {"in_words", in_plain_words(limits)}};
}

}  // namespace ghostgrad::privacy
