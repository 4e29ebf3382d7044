// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/event_json.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/strict_json.h"

namespace ghostgrad::privacy {
namespace {

using nlohmann::json;

constexpr int version = 1;

[[noreturn]] void throw_malformed(std::string wrong, std::string got) {
  throw base::InvalidArgument("event JSON", std::move(wrong), std::move(got), "pass what ghostgrad wrote, unchanged");
}

struct Write {
  json operator()(const NonPrivate&) const { return {{"type", "non_private"}}; }
  json operator()(const Gaussian& node) const { return {{"type", "gaussian"}, {"noise_multiplier", node.noise_multiplier}}; }
  json operator()(const PoissonSampled& node) const {
    return {{"type", "poisson_sampled"}, {"sample_rate", node.sample_rate}, {"event", write(*node.event)}};
  }
  json operator()(const TruncatedPoissonSampled& node) const {
    return {{"type", "truncated_poisson_sampled"},
            {"data_set_size", node.data_set_size},
            {"sample_rate", node.sample_rate},
            {"largest_batch", node.largest_batch},
            {"event", write(*node.event)}};
  }
  json operator()(const FixedSizeSampled& node) const {
    return {{"type", "fixed_size_sampled"},
            {"data_set_size", node.data_set_size},
            {"batch_size", node.batch_size},
            {"event", write(*node.event)}};
  }
  json operator()(const Repeated& node) const { return {{"type", "repeated"}, {"count", node.count}, {"event", write(*node.event)}}; }
  json operator()(const Composed& node) const {
    json events = json::array();
    for (const auto& event : node.events) events.push_back(write(event));
    return {{"type", "composed"}, {"events", std::move(events)}};
  }
  static json write(const Event& event) { return std::visit(Write{}, event.node()); }
};

/// An object with exactly these fields, read field by field.
class Fields {
 public:
  Fields(const json& object, std::initializer_list<std::string_view> names) : object_(object) {
    if (!object.is_object()) throw_malformed("an object is expected", object.type_name());
    for (const auto& [name, value] : object.items()) {
      if (std::ranges::find(names, name) == names.end()) throw_malformed("holds an unknown field", name);
    }
  }

  [[nodiscard]] const json& at(const char* name) const {
    const auto found = object_.find(name);
    if (found == object_.end()) throw_malformed(fmt::format("the field \"{}\" is missing", name), "");
    return *found;
  }

  [[nodiscard]] double number(const char* name) const {
    if (!at(name).is_number()) throw_malformed(fmt::format("the field \"{}\" must be a number", name), at(name).type_name());
    return at(name).get<double>();
  }

  [[nodiscard]] std::int64_t count(const char* name) const {
    const json& value = at(name);
    if (!value.is_number_integer()) throw_malformed(fmt::format("the field \"{}\" must be an integer", name), value.type_name());
    const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
    if (too_large) throw_malformed(fmt::format("the field \"{}\" must be below 2^63", name), value.dump());
    return value.get<std::int64_t>();
  }

 private:
  const json& object_;
};

std::string type_of(const json& object) {
  if (!object.is_object()) throw_malformed("an event must be an object", object.type_name());
  const auto found = object.find("type");
  if (found == object.end() || !found->is_string()) throw_malformed("an event needs a \"type\" that is a string", "");
  return found->get<std::string>();
}

Event read(const json& object, int level);

Event read_composed(const json& list, int level) {
  if (!list.is_array()) throw_malformed("the field \"events\" must be a list", list.type_name());
  std::vector<Event> events;
  for (const auto& each : list) events.push_back(read(each, level));
  return composed(std::move(events));
}

Event read_truncated(const json& object, int level) {
  const Fields fields(object, {"type", "data_set_size", "sample_rate", "largest_batch", "event"});
  return truncated_poisson_sampled(fields.count("data_set_size"), fields.number("sample_rate"), fields.count("largest_batch"),
                                   read(fields.at("event"), level));
}

Event read_fixed_size(const json& object, int level) {
  const Fields fields(object, {"type", "data_set_size", "batch_size", "event"});
  return fixed_size_sampled(fields.count("data_set_size"), fields.count("batch_size"), read(fields.at("event"), level));
}

Event read(const json& object, int level) {
  // The event itself refuses such depths too, but only after the recursion.
  if (level > Event::max_depth) throw_malformed(fmt::format("must be at most {} levels deep", Event::max_depth), "");
  const auto type = type_of(object);
  if (type == "non_private") return Fields(object, {"type"}), non_private();
  if (type == "gaussian") return gaussian(Fields(object, {"type", "noise_multiplier"}).number("noise_multiplier"));
  if (type == "composed") return read_composed(Fields(object, {"type", "events"}).at("events"), level + 1);
  if (type == "repeated") {
    const Fields fields(object, {"type", "count", "event"});
    return repeated(read(fields.at("event"), level + 1), fields.count("count"));
  }
  if (type == "poisson_sampled") {
    const Fields fields(object, {"type", "sample_rate", "event"});
    return poisson_sampled(fields.number("sample_rate"), read(fields.at("event"), level + 1));
  }
  if (type == "truncated_poisson_sampled") return read_truncated(object, level + 1);
  if (type == "fixed_size_sampled") return read_fixed_size(object, level + 1);
  throw base::Unsupported("event JSON", "this type of event is not known here", type,
                          "read it with the version of ghostgrad that wrote it");
}

}  // namespace

json event_to_json(const Event& event) { return {{"version", version}, {"event", Write::write(event)}}; }

Event event_from_json(const json& object) {
  const Fields fields(object, {"version", "event"});
  if (const auto found = fields.count("version"); found != version) {
    throw base::Unsupported("event JSON", fmt::format("version must be {}", version), fmt::to_string(found),
                            "read it with the version of ghostgrad that wrote it");
  }
  return read(fields.at("event"), 1);
}

Event parse_event(std::string_view text) { return event_from_json(strict_json(text)); }

}  // namespace ghostgrad::privacy
