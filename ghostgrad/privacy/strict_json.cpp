// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/strict_json.h"

#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"

namespace ghostgrad::privacy {

using nlohmann::json;

json strict_json(std::string_view text) {
  std::vector<std::set<std::string>> open;  // the names of each object that is not closed yet
  bool twice = false;
  const auto watch = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end) open.pop_back();
    if (event == json::parse_event_t::key) twice = twice || !open.back().insert(value.get<std::string>()).second;
    return true;
  };
  auto parsed = json::parse(text, watch, false);
  if (parsed.is_discarded()) {
    throw base::InvalidArgument("JSON", "is malformed", fmt::format("{} bytes of something else", text.size()),
                                "pass what ghostgrad wrote, unchanged");
  }
  if (twice) throw base::InvalidArgument("JSON", "an object holds a name twice", "", "leave one of them out");
  return parsed;
}

}  // namespace ghostgrad::privacy
