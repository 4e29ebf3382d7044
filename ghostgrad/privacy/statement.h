// SPDX-License-Identifier: Apache-2.0
// What a training run promises, with everything that the promise rests on. A value: whoever has one can print it, store it, or send it.
//
//     PrivacyStatement statement{.epsilon = 2.09, .delta = 1e-5, .accountant = "rdp", .noise_multiplier = 1, ...};
//     to_text(statement);      // for people: epsilon rounded up, never down; starts with NOT PRIVATE when nothing is promised
//     to_json(statement);      // for programs: all digits; an infinite epsilon is the string "infinity"
//
// Guarantee: a test key, missing noise, an independence that was not checked and a delta of 1 / N or more appear in both forms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "ghostgrad/privacy/adjacency.h"

namespace ghostgrad::privacy {

/// Whether one example's loss and gradient may depend on other examples of its batch.
enum class Independence {
  audited,      // the independence check ran on this model and loss, and passed
  not_audited,  // nobody checked
  assumed,      // the user says so
};

[[nodiscard]] std::string_view to_text(Independence independence);

struct PrivacyStatement {
  double epsilon = 0;
  double delta = 0;
  Adjacency adjacency = Adjacency::add_remove;
  std::string accountant{};
  double noise_multiplier = 0;
  double sample_rate = 1;
  std::int64_t steps = 0;
  bool noise_is_private = false;  // Key::is_private() of the key that noise and sampling came from
  Independence independence = Independence::not_audited;
  std::optional<std::int64_t> data_set_size{};  // where it is public: to judge delta
  std::vector<std::string> warnings{};          // of the accountant and whoever else contributed
};

/// A bound for people: four digits, never less than the value.
[[nodiscard]] std::string rounded_up(double value);

/// False when no promise is made at all: a test key or an infinite epsilon.
[[nodiscard]] bool promises_privacy(const PrivacyStatement& statement);

/// The statement's own warnings and those that follow from its numbers.
[[nodiscard]] std::vector<std::string> all_warnings(const PrivacyStatement& statement);

[[nodiscard]] std::string to_text(const PrivacyStatement& statement);
[[nodiscard]] nlohmann::json to_json(const PrivacyStatement& statement);

}  // namespace ghostgrad::privacy
