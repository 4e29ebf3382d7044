// SPDX-License-Identifier: Apache-2.0
// What a measurement was made on: stands in the head of every report of `ghostgrad bench`; bench/header.py says the same in Python.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace ghostgrad::cli {

/// Name of the processor, cores that this process may use, and those instruction sets of it that tensor operations can make use of.
[[nodiscard]] nlohmann::ordered_json machine();

}  // namespace ghostgrad::cli
