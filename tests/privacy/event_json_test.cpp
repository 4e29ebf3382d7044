// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/event_json.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"
#include "ghostgrad/random/stream.h"

namespace ghostgrad::privacy {
namespace {

using nlohmann::json;

Event example() {
  return composed({truncated_poisson_sampled(60000, 0.004, 300, gaussian(0.9)), fixed_size_sampled(60000, 256, gaussian(1.2)),
                   repeated(poisson_sampled(256.0 / 60000, gaussian(1.1)), 14062), gaussian(1.0 / 3), non_private(), composed({}),
                   repeated(gaussian(5e-324), std::int64_t{1} << 62)});
}

TEST(EventJson, HasTheDocumentedForm) {
  const auto expected = json::parse(
      R"({"version": 1, "event": {"type": "poisson_sampled", "sample_rate": 0.01, "event": {"type": "gaussian", "noise_multiplier": 1.1}}})");
  EXPECT_EQ(event_to_json(poisson_sampled(0.01, gaussian(1.1))), expected);
}

TEST(EventJson, GivesTheSameEventBack) { EXPECT_EQ(parse_event(event_to_json(example()).dump()), example()); }

TEST(EventJson, AcceptsIntegersWhereNumbersAreMeant) {
  EXPECT_EQ(parse_event(R"({"version":1,"event":{"type":"gaussian","noise_multiplier":2}})"), gaussian(2));
}

TEST(EventJson, RefusesWhatItCannotReadWithoutGuessing) {
  const std::vector<std::string> malformed = {
      "",
      "{",
      "null",
      "[]",
      "3",
      R"("gaussian")",
      "{}",
      R"({"version":1})",
      R"({"event":{"type":"non_private"}})",
      R"({"version":1.0,"event":{"type":"non_private"}})",
      R"({"version":"1","event":{"type":"non_private"}})",
      R"({"version":1,"event":{"type":"non_private"},"comment":""})",
      R"({"version":1,"event":null})",
      R"({"version":1,"event":{}})",
      R"({"version":1,"event":{"type":3}})",
      R"({"version":1,"event":{"type":"non_private","sigma":1}})",
      R"({"version":1,"event":{"type":"gaussian"}})",
      R"({"version":1,"event":{"type":"gaussian","noise_multiplier":"1"}})",
      R"({"version":1,"event":{"type":"gaussian","noise_multiplier":null}})",
      R"({"version":1,"event":{"type":"gaussian","noise_multiplier":-1}})",
      R"({"version":1,"event":{"type":"gaussian","noise_multiplier":1e999}})",
      R"({"version":1,"event":{"type":"composed","events":{}}})",
      R"({"version":1,"event":{"type":"composed","events":[1]}})",
      R"({"version":1,"event":{"type":"repeated","count":1.5,"event":{"type":"non_private"}}})",
      R"({"version":1,"event":{"type":"repeated","count":-1,"event":{"type":"non_private"}}})",
      R"({"version":1,"event":{"type":"repeated","count":9223372036854775808,"event":{"type":"non_private"}}})",
      R"({"version":1,"event":{"type":"repeated","count":1}})",
      R"({"version":1,"event":{"type":"fixed_size_sampled","data_set_size":9,"batch_size":10,"event":{"type":"non_private"}}})",
      R"({"version":1,"event":{"type":"fixed_size_sampled","data_set_size":9.5,"batch_size":1,"event":{"type":"non_private"}}})",
      R"({"version":1,"event":{"type":"truncated_poisson_sampled","sample_rate":0.1,"largest_batch":1,"event":{"type":"non_private"}}})",
      R"({"version":1,"event":{"type":"poisson_sampled","sample_rate":0,"event":{"type":"non_private"}}})"};
  for (const auto& text : malformed) EXPECT_THROW((void)parse_event(text), base::InvalidArgument) << text;
}

TEST(EventJson, RefusesNewerVersionsAndUnknownTypesByName) {
  EXPECT_THROW((void)parse_event(R"({"version":2,"event":{"type":"non_private"}})"), base::Unsupported);
  const auto nested = R"({"version":1,"event":{"type":"composed","events":[{"type":"laplace","scale":1}]}})";
  try {
    (void)parse_event(nested);
    FAIL();
  } catch (const base::Unsupported& error) {
    EXPECT_NE(std::string(error.what()).find("laplace"), std::string::npos) << error.what();
  }
}

TEST(EventJson, RefusesDeepNestingBeforeItExhaustsTheStack) {
  constexpr int levels = 50000;
  std::string text = R"({"version":1,"event":)";
  for (int level = 0; level < levels; ++level) text += R"({"type":"composed","events":[)";
  for (int level = 0; level < levels; ++level) text += "]}";
  EXPECT_THROW((void)parse_event(text + "}"), base::InvalidArgument);
}

/// A valid text with a few bytes changed, removed, doubled or swapped in from the alphabet of the format.
std::string damaged(std::string text, random::Stream& stream) {
  const std::string alphabet = R"({}[]",:0123456789.-eE+ntruefalsgiovcpdmh_\)";
  for (std::uint64_t edits = 1 + stream.uniform_below(4); edits > 0 && !text.empty(); --edits) {
    const auto at = stream.uniform_below(text.size());
    const auto letter = alphabet[stream.uniform_below(alphabet.size())];
    switch (stream.uniform_below(4)) {
      case 0:
        text[at] = letter;
        break;
      case 1:
        text.erase(at, 1 + stream.uniform_below(8));
        break;
      case 2:
        text.insert(at, 1, letter);
        break;
      default:
        text.insert(at, text.substr(stream.uniform_below(text.size()), stream.uniform_below(60)));
    }
  }
  return text;
}

TEST(EventJson, EitherReadsOrRefusesWhateverTheDamage) {
  random::Stream stream(random::Key::for_tests(1), {random::Purpose::audit});
  const auto good = event_to_json(example()).dump();
  int read = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    const auto text = damaged(good, stream);
    try {
      const auto event = parse_event(text);
      ++read;
      ASSERT_EQ(parse_event(event_to_json(event).dump()), event) << text;
    } catch (const base::Error&) {
      continue;  // refused, with a message; anything else fails the test
    }
  }
  EXPECT_GT(read, 100) << "the damage should leave some texts readable";
}

}  // namespace
}  // namespace ghostgrad::privacy
