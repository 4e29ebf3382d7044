// SPDX-License-Identifier: Apache-2.0
// The least value of an option, as a check of CLI11: its own PositiveNumber writes the largest double out in full when it refuses.
//
//     app.add_option("--rounds", rounds)->check(at_least(1));
#pragma once

#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ghostgrad::cli {

/// What is no number is left to CLI11's own complaint.
[[nodiscard]] inline CLI::Validator at_least(double least) {
  const auto complaint = [least](const std::string& text) {
    double value = 0;
    if (!CLI::detail::lexical_cast(text, value) || value >= least) return std::string();
    return fmt::format("must be at least {}, but got {}", least, text);
  };
  return {complaint, ""};
}

}  // namespace ghostgrad::cli
