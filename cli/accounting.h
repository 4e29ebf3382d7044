// SPDX-License-Identifier: Apache-2.0
// What `account` and `calibrate` have in common: a run to account for, and an accountant.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <CLI/App.hpp>
#include <nlohmann/json_fwd.hpp>

#include "ghostgrad/privacy/accountants.h"

namespace ghostgrad::cli {

constexpr double kUsualDelta = 1e-5;

struct RunOptions {
  double sample_rate = 0;
  std::int64_t steps = 0;
};

struct AccountantOptions {
  std::string name = "rdp";
  std::string adjacency = "add_remove";
};

void add_run_options(CLI::App& app, RunOptions& options);
void add_accountant_options(CLI::App& app, AccountantOptions& options);

[[nodiscard]] privacy::Event event_of(const RunOptions& run, double noise_multiplier);
[[nodiscard]] std::unique_ptr<privacy::Accountant> make_accountant(const AccountantOptions& options);
/// "adding or removing one example, by the rdp accountant"
[[nodiscard]] std::string in_words(const AccountantOptions& options);

/// JSON has no infinity: the string "infinity".
[[nodiscard]] nlohmann::ordered_json finite_or_text(double value);

}  // namespace ghostgrad::cli
