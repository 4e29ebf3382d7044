// SPDX-License-Identifier: Apache-2.0
// Events as JSON, for ledgers and the command line.
//
//     {"version": 1, "event": {"type": "poisson_sampled", "sample_rate": 0.01, "event": {"type": "gaussian", "noise_multiplier": 1.1}}}
//
// Numbers are written with the digits that give the same double back: event_from_json(event_to_json(e)) == e.
//
// Guarantee of reading: whatever the text, the result is a valid Event or an exception: base::InvalidArgument for malformed
// input, base::Unsupported for a version or a type that this build does not know. A field that is missing, of another kind or
// unknown is refused: ignoring one could turn a worse event into a better one.
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "ghostgrad/privacy/events.h"

namespace ghostgrad::privacy {

[[nodiscard]] nlohmann::json event_to_json(const Event& event);
[[nodiscard]] Event event_from_json(const nlohmann::json& json);

/// event_from_json of a text, which must not hold a name twice (strict_json.h).
[[nodiscard]] Event parse_event(std::string_view text);

}  // namespace ghostgrad::privacy
