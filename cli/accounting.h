// SPDX-License-Identifier: Apache-2.0
// What `account`, `calibrate` and `compare` have in common: a run to account for, and an accountant.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <CLI/App.hpp>
#include <nlohmann/json_fwd.hpp>

#include "ghostgrad/privacy/accountants.h"

namespace ghostgrad::cli {

constexpr double kUsualDelta = 1e-5;

/// Poisson-sampled training with Gaussian noise; `account` and `compare` take any events instead.
struct RunOptions {
  std::optional<double> noise_multiplier{};
  std::optional<double> sample_rate{};
  std::optional<std::int64_t> steps{};
  std::string event_file{};
};

struct AccountantOptions {
  std::string name{};  // empty: privacy::usual_accountant of the events
  std::string adjacency = "add_remove";
};

void add_run_options(CLI::App& app, RunOptions& options);
void add_event_option(CLI::App& app, RunOptions& options);
void add_accountant_option(CLI::App& app, AccountantOptions& options);
void add_adjacency_option(CLI::App& app, AccountantOptions& options);

/// For CLI::Option::check: CLI11 itself reads an integer that is too large as the largest one. -> what is wrong, or nothing
[[nodiscard]] std::string wrong_count(const std::string& text);

/// The number, or base::InvalidArgument that names the flag that is missing.
template <class Number>
[[nodiscard]] Number wanted(const std::optional<Number>& number, const std::string& flag);
/// base::InvalidArgument if a number was given that the command does not read.
void refuse_given(bool given, const std::string& flag, const std::string& why);

[[nodiscard]] privacy::Event event_of(const RunOptions& run);
/// The same training with another number of steps; run.steps must be given.
[[nodiscard]] privacy::Event event_of(const RunOptions& run, std::int64_t steps);
[[nodiscard]] nlohmann::ordered_json to_json(const RunOptions& run);

/// Settles who answers for the event where nobody was named.
void name_usual(AccountantOptions& options, const privacy::Event& event);
[[nodiscard]] std::unique_ptr<privacy::Accountant> make_accountant(const AccountantOptions& options);
/// "adding or removing one example, by the rdp accountant"
[[nodiscard]] std::string in_words(const AccountantOptions& options);

/// JSON has no infinity: the string "infinity".
[[nodiscard]] nlohmann::ordered_json finite_or_text(double value);

}  // namespace ghostgrad::cli
