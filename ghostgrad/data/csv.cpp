// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/csv.h"

#include <algorithm>
#include <utility>

#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/data/bytes.h"

namespace ghostgrad::data {
namespace {

constexpr const char* kFetchAgain = "the file is truncated, damaged or another one: fetch it again";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class Parser {
 public:
  std::vector<Row> parse(std::string_view text, const std::string& file) {
    for (const char c : text) take(c);
    if (inside_) throw base::SystemError(file, "a quoted field must be closed", "the end of the file", kFetchAgain);
    end_row();
    return std::move(rows_);
  }

 private:
  void take(char c) {
    const bool after_quote = std::exchange(quote_, false);
    if (inside_) {
      c == '"' ? close() : field_.push_back(c);
    } else if (c == '"' && (after_quote || field_.empty())) {
      if (after_quote) field_.push_back('"');  // doubled
      inside_ = started_ = true;
    } else if (c == ',') {
      end_field();
      started_ = true;
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      field_.push_back(c);
    }
  }
  void close() {
    inside_ = false;
    quote_ = true;
  }
  void end_field() { row_.push_back(std::exchange(field_, {})); }
  void end_row() {
    if (started_ || !field_.empty()) {
      end_field();
      rows_.push_back(std::exchange(row_, {}));
    }
    started_ = false;
  }

  std::vector<Row> rows_;
  Row row_;
  std::string field_;
  bool inside_ = false;   // quotes
  bool quote_ = false;    // the character before closed them
  bool started_ = false;  // the row has something, be it an empty field
};

}  // namespace

std::vector<Row> parse_csv(std::string_view text, const std::string& file) { return Parser().parse(text, file); }

std::vector<Row> read_csv(const std::filesystem::path& file, const Row& columns) {
  const auto bytes = read_bytes(file);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  auto rows = parse_csv(text, file.string());
  if (rows.empty() || rows.front() != columns)
    throw base::SystemError(file.string(), fmt::format("must begin with the columns {}", fmt::join(columns, ",")), "", kFetchAgain);
  rows.erase(rows.begin());
  const auto whole = [&](const Row& row) { return row.size() == columns.size(); };
  if (rows.empty() || !std::all_of(rows.begin(), rows.end(), whole))
    throw base::SystemError(file.string(), fmt::format("must have rows of {} fields each", columns.size()), "", kFetchAgain);
  return rows;
}

}  // namespace ghostgrad::data
