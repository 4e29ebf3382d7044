// SPDX-License-Identifier: Apache-2.0
// Comma-separated values [Shafranovich05]: a field may stand in double quotes, may then hold commas and line breaks, and doubles its own quotes.
//
//     for (const auto& row : data::read_csv("train.csv", {"mr", "ref"})) use(row[0], row[1]);
//
// Guarantee: no error message carries what a field holds or which row it stands in.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ghostgrad::data {

using Row = std::vector<std::string>;

/// All rows; empty lines are left out. `file` is what error messages call it. Throws SystemError for a quote that is not closed.
[[nodiscard]] std::vector<Row> parse_csv(std::string_view text, const std::string& file);

/// The rows below a heading of exactly these columns (and a byte order mark, if any). Throws SystemError for another heading, for a row of
/// another length, and for no rows at all; and what read_bytes() throws.
[[nodiscard]] std::vector<Row> read_csv(const std::filesystem::path& file, const Row& columns);

}  // namespace ghostgrad::data
