// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ghostgrad::cli {

void add_json_flag(CLI::App& app, bool& json) {
  app.add_flag("--json", json, "print one JSON object to standard output, and nothing else there");
}

void print_json(const nlohmann::ordered_json& json) { std::cout << json.dump(2) << std::endl; }
void print_json(const nlohmann::json& json) { std::cout << json.dump(2) << std::endl; }

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (size_t column = 0; column < row.size(); ++column) widths[column] = std::max(widths[column], row[column].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t column = 0; column + 1 < row.size(); ++column) line += fmt::format("{:<{}}  ", row[column], widths[column]);
    std::cout << line << row.back() << '\n';
  }
  std::cout << std::flush;
}

void print_fields(const std::vector<std::pair<std::string, std::string>>& fields) {
  size_t width = 0;
  for (const auto& field : fields) width = std::max(width, field.first.size());
  for (const auto& [name, value] : fields) std::cout << fmt::format("{:<{}}  {}\n", name, width, value);
  std::cout << std::flush;
}

void print_text(const std::string& text) { std::cout << text << std::flush; }

void print_note(const std::string& line) { std::cerr << line << std::endl; }

void print_warnings(const std::vector<std::string>& warnings) {
  for (const auto& warning : warnings) std::cerr << "warning: " << warning << '\n';
  std::cerr << std::flush;
}

std::string with_commas(double value) {
  const std::string digits = fmt::format("{:.0f}", value);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string alternatives(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : i + 1 < names.size() ? ", " : " or ") + names[i];
  return text;
}

}  // namespace ghostgrad::cli
