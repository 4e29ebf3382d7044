// SPDX-License-Identifier: Apache-2.0
// A whole file as bytes, gunzipped if it is gzip.
//
// Guarantee: all of the file or an error that names it. A cut-off or damaged gzip stream never passes as a shorter file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace ghostgrad::data {

/// True for an existing file; false, and never an exception, for anything else.
[[nodiscard]] bool is_file(const std::filesystem::path& path);

/// Throws InvalidArgument if there is no such file, SystemError if it cannot be read to its end.
[[nodiscard]] std::vector<uint8_t> read_bytes(const std::filesystem::path& file);

}  // namespace ghostgrad::data
