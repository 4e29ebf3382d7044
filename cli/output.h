// SPDX-License-Identifier: Apache-2.0
// What commands print: tables for people, one JSON object for programs. With --json nothing else goes to standard output.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <nlohmann/json_fwd.hpp>

namespace ghostgrad::cli {

/// Adds `--json`.
void add_json_flag(CLI::App& app, bool& json);

/// One object and a newline.
void print_json(const nlohmann::ordered_json& json);
void print_json(const nlohmann::json& json);

/// Rows of equal length, the first one being the heading, in aligned columns.
void print_table(const std::vector<std::vector<std::string>>& rows);

/// `name   value`, names aligned.
void print_fields(const std::vector<std::pair<std::string, std::string>>& fields);

/// Text as it is, to standard output.
void print_text(const std::string& text);

/// A line to standard error.
void print_note(const std::string& line);

/// `warning: ...` to standard error.
void print_warnings(const std::vector<std::string>& warnings);

/// 12345.6 -> "12,346"
[[nodiscard]] std::string with_commas(double value);

/// "a, b or c"
[[nodiscard]] std::string alternatives(const std::vector<std::string>& names);

/// names of a table's rows, for help texts
template <class Rows>
[[nodiscard]] std::string names_of(const Rows& rows) {
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const auto& row : rows) names.emplace_back(row.name);
  return alternatives(names);
}

}  // namespace ghostgrad::cli
