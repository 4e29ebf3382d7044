// SPDX-License-Identifier: Apache-2.0
// JSON text that says one thing only: a name that an object holds twice is refused, where most readers silently take the last one.
//
//     event_from_json(strict_json(text));
//
// Guarantee: whatever the bytes, a value or base::InvalidArgument; memory in proportion to the text, no recursion.
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace ghostgrad::privacy {

[[nodiscard]] nlohmann::json strict_json(std::string_view text);

}  // namespace ghostgrad::privacy
