// SPDX-License-Identifier: Apache-2.0
// Tables of known answers: comma-separated, a header line, no quoting.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ghostgrad::tests {

class Row {
 public:
  void set(const std::string& name, std::string value) { fields_[name] = std::move(value); }
  [[nodiscard]] const std::string& text(const std::string& name) const { return fields_.at(name); }
  [[nodiscard]] double number(const std::string& name) const { return std::stod(fields_.at(name)); }

 private:
  std::map<std::string, std::string> fields_;
};

inline std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

inline std::vector<Row> read_csv(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) throw std::runtime_error("cannot read " + path.string());
  const auto names = split(line);
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    const auto cells = split(line);
    for (std::size_t i = 0; i < names.size(); ++i) (i == 0 ? rows.emplace_back() : rows.back()).set(names[i], cells.at(i));
  }
  return rows;
}

}  // namespace ghostgrad::tests
