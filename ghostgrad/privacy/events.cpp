// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/events.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/checks.h"

namespace ghostgrad::privacy {
namespace {

const Event& required(const NestedEvent& nested) {
  if (nested) return *nested;
  throw base::InvalidArgument("event", "a sampled or repeated event needs the event that it is about", "none", "pass one");
}

/// Checks a node's own numbers and returns the depth of what it holds.
struct Inspect {
  int operator()(const NonPrivate&) const { return 0; }
  int operator()(const Gaussian& node) const {
    checked_noise_multiplier(node.noise_multiplier);
    return 0;
  }
  int operator()(const PoissonSampled& node) const {
    checked_sample_rate(node.sample_rate);
    return required(node.event).depth();
  }
  int operator()(const TruncatedPoissonSampled& node) const {
    checked_size(node.data_set_size, "data_set_size");
    checked_sample_rate(node.sample_rate);
    checked_size(node.largest_batch, "largest_batch");
    return required(node.event).depth();
  }
  int operator()(const FixedSizeSampled& node) const {
    checked_size(node.data_set_size, "data_set_size");
    checked_size(node.batch_size, "batch_size");
    if (node.batch_size <= node.data_set_size) return required(node.event).depth();
    throw base::InvalidArgument("batch_size", fmt::format("must be at most the data set's size, {}", node.data_set_size),
                                fmt::to_string(node.batch_size), "draw fewer examples");
  }
  int operator()(const Composed& node) const {
    int depth = 0;
    for (const auto& event : node.events) depth = std::max(depth, event.depth());
    return depth;
  }
  int operator()(const Repeated& node) const {
    checked_count(node.count);
    return required(node.event).depth();
  }
};

struct Equal {
  bool operator()(const NonPrivate&, const NonPrivate&) const { return true; }
  bool operator()(const Gaussian& a, const Gaussian& b) const { return a.noise_multiplier == b.noise_multiplier; }
  bool operator()(const PoissonSampled& a, const PoissonSampled& b) const { return a.sample_rate == b.sample_rate && *a.event == *b.event; }
  bool operator()(const TruncatedPoissonSampled& a, const TruncatedPoissonSampled& b) const {
    return a.data_set_size == b.data_set_size && a.sample_rate == b.sample_rate && a.largest_batch == b.largest_batch &&
           *a.event == *b.event;
  }
  bool operator()(const FixedSizeSampled& a, const FixedSizeSampled& b) const {
    return a.data_set_size == b.data_set_size && a.batch_size == b.batch_size && *a.event == *b.event;
  }
  bool operator()(const Composed& a, const Composed& b) const { return a.events == b.events; }
  bool operator()(const Repeated& a, const Repeated& b) const { return a.count == b.count && *a.event == *b.event; }
  template <class A, class B>
  bool operator()(const A&, const B&) const {
    return false;
  }
};

struct Describe {
  std::string operator()(const NonPrivate&) const { return "non-private"; }
  std::string operator()(const Gaussian& node) const { return fmt::format("Gaussian({})", node.noise_multiplier); }
  std::string operator()(const PoissonSampled& node) const {
    return fmt::format("Poisson({}) of {}", node.sample_rate, to_text(*node.event));
  }
  std::string operator()(const TruncatedPoissonSampled& node) const {
    return fmt::format("Poisson({}) of {}, at most {}, of {}", node.sample_rate, node.data_set_size, node.largest_batch,
                       to_text(*node.event));
  }
  std::string operator()(const FixedSizeSampled& node) const {
    return fmt::format("{} of {} drawn, of {}", node.batch_size, node.data_set_size, to_text(*node.event));
  }
  std::string operator()(const Repeated& node) const { return fmt::format("{} x {}", node.count, to_text(*node.event)); }
  std::string operator()(const Composed& node) const {
    std::string text;
    for (const auto& event : node.events) text += (text.empty() ? "" : ", ") + to_text(event);
    return "[" + text + "]";
  }
};

void append_parts(const Event& event, std::int64_t count, std::vector<Part>& out) {
  if (const auto* repeated = std::get_if<Repeated>(&event.node())) {
    append_parts(*repeated->event, checked_product(count, repeated->count), out);
  } else if (const auto* composed = std::get_if<Composed>(&event.node())) {
    for (const auto& each : composed->events) append_parts(each, count, out);
  } else if (count > 0) {
    out.push_back({event, count});
  }
}

}  // namespace

Event::Event(Node node) : node_(std::move(node)), depth_(1 + std::visit(Inspect{}, node_)) {
  if (depth_ <= max_depth) return;
  throw base::InvalidArgument("event", "must be at most 64 levels deep", fmt::to_string(depth_), "put the events into one composed list");
}

Event non_private() { return Event(NonPrivate{}); }
Event gaussian(double noise_multiplier) { return Event(Gaussian{noise_multiplier}); }
Event composed(std::vector<Event> events) { return Event(Composed{std::move(events)}); }

Event poisson_sampled(double sample_rate, Event event) {
  return Event(PoissonSampled{sample_rate, std::make_shared<const Event>(std::move(event))});
}

Event truncated_poisson_sampled(std::int64_t data_set_size, double sample_rate, std::int64_t largest_batch, Event event) {
  return Event(TruncatedPoissonSampled{data_set_size, sample_rate, largest_batch, std::make_shared<const Event>(std::move(event))});
}

Event fixed_size_sampled(std::int64_t data_set_size, std::int64_t batch_size, Event event) {
  return Event(FixedSizeSampled{data_set_size, batch_size, std::make_shared<const Event>(std::move(event))});
}

Event repeated(Event event, std::int64_t count) { return Event(Repeated{std::make_shared<const Event>(std::move(event)), count}); }

bool operator==(const Event& a, const Event& b) { return std::visit(Equal{}, a.node(), b.node()); }

std::string to_text(const Event& event) { return std::visit(Describe{}, event.node()); }

std::vector<Part> parts(const Event& event, std::int64_t count) {
  std::vector<Part> out;
  append_parts(event, checked_count(count), out);
  return out;
}

bool promises_nothing(const Event& event) {
  if (std::holds_alternative<NonPrivate>(event.node())) return true;
  if (const auto* node = std::get_if<Gaussian>(&event.node())) return node->noise_multiplier == 0;
  if (const auto* node = std::get_if<PoissonSampled>(&event.node())) return promises_nothing(*node->event);
  if (const auto* node = std::get_if<TruncatedPoissonSampled>(&event.node())) return promises_nothing(*node->event);
  if (const auto* node = std::get_if<FixedSizeSampled>(&event.node())) return promises_nothing(*node->event);
  if (const auto* node = std::get_if<Repeated>(&event.node())) return node->count > 0 && promises_nothing(*node->event);
  return std::ranges::any_of(std::get<Composed>(event.node()).events, promises_nothing);
}

}  // namespace ghostgrad::privacy
