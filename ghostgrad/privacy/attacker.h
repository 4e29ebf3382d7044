// SPDX-License-Identifier: Apache-2.0
// What a privacy curve means for the strongest attacker: one who knows every other example, the code, and everything that was released,
// and only does not know whether one given example was used (replace_one: which of two).
//
//     const auto limits = attacker_limits(*accountant);
//     in_plain_words(limits);      // "An attacker who knows all other examples ... is right at most 61.3 % of the time ..."
//
// Guarantee: no attack does better, if the accountant's bounds hold; percentages for people are rounded up, never down. An
// approximating accountant's limits say that they guarantee nothing.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "ghostgrad/privacy/accountant.h"

namespace ghostgrad::privacy {

struct AttackerLimits {
  Adjacency adjacency = Adjacency::add_remove;
  bool is_approximation = false;
  double accuracy = 1;                // of a guess, when both possibilities are equally likely beforehand
  double false_positive_rate = 1e-3;  // of an attacker who seldom accuses wrongly
  double true_positive_rate = 1;      // and how many of the accused can then be right
};

[[nodiscard]] AttackerLimits attacker_limits(const Accountant& accountant, double false_positive_rate = 1e-3);

[[nodiscard]] std::string in_plain_words(const AttackerLimits& limits);
[[nodiscard]] nlohmann::json to_json(const AttackerLimits& limits);

}  // namespace ghostgrad::privacy
