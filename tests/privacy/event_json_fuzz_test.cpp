// SPDX-License-Identifier: Apache-2.0
// Whatever the text: a valid event that goes to JSON and back unchanged, or a refusal with a message. Never a crash, never a guess.
// Every trial is made from a fixed test key, so a failure repeats; the text is in its message.
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/accountants.h"
#include "ghostgrad/privacy/event_json.h"
#include "ghostgrad/random/stream.h"

namespace ghostgrad::privacy {
namespace {

using nlohmann::json;
using random::Stream;

Stream stream_of(int key) { return Stream(random::Key::for_tests(key), {random::Purpose::audit}); }

template <class Item>
const Item& any_of(const std::vector<Item>& items, Stream& stream) {
  return items[stream.uniform_below(items.size())];
}

/// Every accountant under every adjacency takes the event or refuses it with a message.
void expect_served_or_refused(std::string_view name, const Event& event) {
  for (const auto adjacency : {Adjacency::add_remove, Adjacency::replace_one, Adjacency::zero_out}) {
    try {
      const auto accountant = make_accountant(name, adjacency);
      if (name == "rdp") {  // whose curves take milliseconds each
        (void)accountant->supports(event);
      } else {
        accountant->compose(event);
      }
    } catch (const base::Error& refused) {
      EXPECT_NE(std::string(refused.what()), "");
    }
  }
}

/// Reads the text if it can be read; what it reads must survive the way to JSON and back, and be asked of every accountant.
bool reads(const std::string& text) {
  try {
    const Event event = parse_event(text);
    EXPECT_EQ(parse_event(event_to_json(event).dump()), event) << text;
    for (const auto& row : accountants()) expect_served_or_refused(row.name, event);
    return true;
  } catch (const base::Error& refused) {
    EXPECT_NE(std::string(refused.what()), "");
    return false;
  }
}

Event any_event(Stream& stream, int levels);

/// The event on a batch of one of the three kinds.
Event any_sampled(std::uint64_t kind, Event event, Stream& stream) {
  const double rate = any_of<double>({5e-324, 1e-300, 1e-9, 0.1, 1.0 / 3, 1}, stream);
  const auto size = any_of<std::int64_t>({1, 100, 60000, std::int64_t{1} << 53}, stream);
  if (kind == 0) return poisson_sampled(rate, std::move(event));
  const auto batch = any_of<std::int64_t>({1, size / 2 + 1, size}, stream);
  if (kind == 1) return fixed_size_sampled(size, batch, std::move(event));
  return truncated_poisson_sampled(size, rate, any_of<std::int64_t>({batch, std::int64_t{1} << 53}, stream), std::move(event));
}

Event any_event(Stream& stream, int levels) {
  const auto kind = stream.uniform_below(levels > 1 ? 7 : 2);
  const double positive = any_of<double>({5e-324, 1e-300, 0.1, 1.0 / 3, 1, 7.25, 1e300, 1.7976931348623157e308}, stream);
  if (kind == 0) return non_private();
  if (kind == 1) return gaussian(positive);
  if (kind < 5) return any_sampled(kind - 2, any_event(stream, levels - 1), stream);
  if (kind == 5) return repeated(any_event(stream, levels - 1), any_of<std::int64_t>({0, 1, 12345, INT64_MAX}, stream));
  std::vector<Event> events;
  for (auto count = stream.uniform_below(4); count > 0; --count) events.push_back(any_event(stream, levels - 1));
  return composed(std::move(events));
}

/// A place in the document, at random.
json& any_place(json& document, Stream& stream) {
  json* place = &document;
  while (place->is_structured() && !place->empty() && stream.uniform_below(4) != 0) {
    auto inner = place->begin();
    std::advance(inner, static_cast<std::ptrdiff_t>(stream.uniform_below(place->size())));
    place = &*inner;
  }
  return *place;
}

json any_value(Stream& stream) {
  static const std::vector<json> values = {nullptr,
                                           true,
                                           false,
                                           "",
                                           "gaussian",
                                           "composed",
                                           "1",
                                           0,
                                           -1,
                                           1,
                                           2,
                                           0.5,
                                           -0.0,
                                           1.5,
                                           1e308,
                                           -1e308,
                                           5e-324,
                                           1e19,
                                           std::numeric_limits<std::int64_t>::max(),
                                           std::numeric_limits<std::int64_t>::min(),
                                           std::numeric_limits<std::uint64_t>::max(),
                                           json::array(),
                                           json::object(),
                                           json::array({1, "x"}),
                                           json{{"type", "gaussian"}},
                                           json{{"type", "gaussian"}, {"noise_multiplier", 2}},
                                           json{{"type", "non_private"}},
                                           json(std::string(3000, 'x'))};
  return any_of(values, stream);
}

TEST(EventJsonFuzz, ValidEventsOfEveryShapeGoToJsonAndBack) {
  auto stream = stream_of(11);
  for (int trial = 0; trial < 2000; ++trial) {
    const auto event = any_event(stream, 6);
    ASSERT_EQ(parse_event(event_to_json(event).dump()), event) << event_to_json(event);
    ASSERT_TRUE(reads(event_to_json(event).dump()));
  }
}

// The mechanisms that accountants know, with every number at an end of its range.
TEST(EventJsonFuzz, SampledGaussiansAtTheEndsOfTheirRangesAreServedOrRefused) {
  auto stream = stream_of(15);
  for (int trial = 0; trial < 1000; ++trial) {
    const double sigma = any_of<double>({0, 5e-324, 1e-3, 1, 1e6, 1.7976931348623157e308}, stream);
    auto event = repeated(any_sampled(stream.uniform_below(3), gaussian(sigma), stream), any_of<std::int64_t>({0, 1, INT64_MAX}, stream));
    if (stream.bernoulli(0.5)) event = composed({repeated(event, any_of<std::int64_t>({0, 1, 2}, stream)), event});
    ASSERT_TRUE(reads(event_to_json(event).dump()));
  }
}

TEST(EventJsonFuzz, ReplacedMissingAndAddedValuesAreReadOrRefused) {
  auto stream = stream_of(12);
  int read = 0;
  constexpr int trials = 6000;
  for (int trial = 0; trial < trials; ++trial) {
    json document = event_to_json(any_event(stream, 4));
    for (auto edits = 1 + stream.uniform_below(3); edits > 0; --edits) {
      json& place = any_place(document, stream);
      const auto kind = stream.uniform_below(3);
      if (kind == 0 && place.is_object() && !place.empty()) {
        place.erase(place.begin());
      } else if (kind == 1 && place.is_object()) {
        place[any_of<std::string>({"type", "event", "events", "count", "sample_rate", "noise_multiplier", "data_set_size", "batch_size",
                                   "largest_batch", "more", ""},
                                  stream)] = any_value(stream);
      } else {
        place = any_value(stream);
      }
    }
    read += reads(document.dump());
  }
  EXPECT_GT(read, trials / 100);
  EXPECT_LT(read, trials / 2);
}

TEST(EventJsonFuzz, RandomBytesAreRefused) {
  auto stream = stream_of(13);
  for (int trial = 0; trial < 3000; ++trial) {
    std::string text(stream.uniform_below(200), ' ');
    for (char& byte : text) byte = static_cast<char>(stream.uniform_below(256));
    ASSERT_FALSE(reads(text)) << testing::PrintToString(text);
  }
}

TEST(EventJsonFuzz, AnyBytesInsideOfStringsAreRefusedWithAMessage) {
  auto stream = stream_of(14);
  for (int trial = 0; trial < 3000; ++trial) {
    std::string word(1 + stream.uniform_below(20), ' ');
    for (char& byte : word) byte = static_cast<char>(stream.uniform_below(256));
    ASSERT_FALSE(reads(R"({"version":1,"event":{"type":")" + word + R"("}})"));
    ASSERT_FALSE(reads(R"({"version":1,"event":{"type":"gaussian","noise_multiplier":1,")" + word + R"(":1}})"));
  }
}

TEST(EventJsonFuzz, NumbersBeyondTheirRangesAreRefused) {
  const std::string digits(400, '9');
  const std::vector<std::string> numbers = {digits, "-" + digits, digits + ".5", "1e" + digits, "1e400", "-1e400",
                                            "NaN",  "Infinity",   "-1",          "0x10",        "1.e3",  "+1"};
  for (const auto& number : numbers) {
    EXPECT_FALSE(reads(R"({"version":1,"event":{"type":"gaussian","noise_multiplier":)" + number + "}}")) << number;
    EXPECT_FALSE(reads(R"({"version":1,"event":{"type":"repeated","count":)" + number + R"(,"event":{"type":"non_private"}}})")) << number;
    EXPECT_FALSE(
        reads(R"({"version":1,"event":{"type":"poisson_sampled","sample_rate":)" + number + R"(,"event":{"type":"non_private"}}})"));
    EXPECT_FALSE(reads(R"({"version":1,"event":{"type":"fixed_size_sampled","data_set_size":)" + number +
                       R"(,"batch_size":1,"event":{"type":"gaussian","noise_multiplier":1}}})"));
    EXPECT_FALSE(reads(R"({"version":1,"event":{"type":"truncated_poisson_sampled","data_set_size":9,"sample_rate":0.5,"largest_batch":)" +
                       number + R"(,"event":{"type":"gaussian","noise_multiplier":1}}})"));
    EXPECT_FALSE(reads(R"({"version":)" + number + R"(,"event":{"type":"non_private"}})")) << number;
  }
  // Halfway between doubles, and far below the least of them: read as what JSON readers agree on, and kept from then on.
  EXPECT_TRUE(reads(R"({"version":1,"event":{"type":"gaussian","noise_multiplier":9007199254740993}})"));
  EXPECT_TRUE(reads(R"({"version":1,"event":{"type":"gaussian","noise_multiplier":1e-400}})"));
}

TEST(EventJsonFuzz, DeepNestingOfEveryKindIsRefused) {
  const std::string fixed_size = R"({"type":"fixed_size_sampled","data_set_size":9,"batch_size":3,"event":)";
  const std::string truncated = R"({"type":"truncated_poisson_sampled","data_set_size":9,"sample_rate":0.5,"largest_batch":3,"event":)";
  const std::vector<std::pair<std::string, std::string>> brackets = {{R"({"type":"composed","events":[)", "]}"},
                                                                     {R"({"type":"repeated","count":1,"event":)", "}"},
                                                                     {R"({"type":"poisson_sampled","sample_rate":0.5,"event":)", "}"},
                                                                     {fixed_size, "}"},
                                                                     {truncated, "}"},
                                                                     {"[", "]"},
                                                                     {R"({"a":)", "}"}};
  for (const int levels : {65, 1000, 100000}) {
    for (const auto& [open, close] : brackets) {
      std::string text = R"({"version":1,"event":)";
      for (int level = 0; level < levels; ++level) text += open;
      text += R"({"type":"non_private"})";
      for (int level = 0; level < levels; ++level) text += close;
      EXPECT_FALSE(reads(text + "}")) << levels << open;
      EXPECT_FALSE(reads(text)) << "unfinished";
    }
  }
}

TEST(EventJsonFuzz, AFieldThatIsThereTwiceIsNotGuessedAt) {
  EXPECT_FALSE(reads(R"({"version":1,"event":{"type":"gaussian","noise_multiplier":0,"noise_multiplier":9}})"));
  EXPECT_FALSE(reads(R"({"version":1,"event":{"type":"non_private"},"event":{"type":"gaussian","noise_multiplier":9}})"));
  EXPECT_TRUE(reads(R"({"version":1,"event":{"type":"composed","events":[{"type":"non_private"},{"type":"non_private"}]}})"));
}

}  // namespace
}  // namespace ghostgrad::privacy
