// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/text.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/data/byte_pairs.h"

namespace ghostgrad::data {
namespace {

constexpr const char* kBytes = "bytes";
constexpr const char* kPairs = "bpe";
constexpr int64_t kUsualVocabulary = 1000;
constexpr int64_t kMostPositions = 1 << 16;

void write(const std::vector<Token>& tokens, const at::Tensor& row) {
  auto places = row.accessor<int64_t, 1>();
  for (int64_t t = 0; t < std::min(places.size(0), static_cast<int64_t>(tokens.size())); ++t) places[t] = tokens[t];
}

int64_t checked_positions(int64_t positions) {
  if (positions >= 2 && positions <= kMostPositions) return positions;
  throw base::InvalidArgument("positions", fmt::format("must lie between 2 and {}", kMostPositions), fmt::to_string(positions),
                              "pass the number of tokens that a text may have, e.g. 128");
}

std::string not_private(int64_t vocabulary) {
  return fmt::format(
      "the {} tokens of the bpe tokenizer were learned from the training texts without noise: epsilon does not cover what they "
      "tell; tokenizer {} learns nothing",
      vocabulary, kBytes);
}

}  // namespace

Text text_of(const TextOptions& options, const std::vector<std::string_view>& training) {
  const std::string name = options.tokenizer.value_or(kBytes);
  if (name == kPairs) {
    Text text{byte_pairs(training, options.vocabulary.value_or(kUsualVocabulary)), checked_positions(options.positions.value_or(128))};
    text.warnings.push_back(not_private(text.tokenizer.size()));
    return text;
  }
  if (name != kBytes) {
    throw base::InvalidArgument("tokenizer", "unknown tokenizer", '"' + name + '"', fmt::format("choose {} or {}", kBytes, kPairs));
  }
  if (options.vocabulary) {
    throw base::InvalidArgument("vocabulary", "is fixed for bytes", fmt::to_string(*options.vocabulary),
                                fmt::format("leave it out, or choose tokenizer {}", kPairs));
  }
  return {Tokenizer(), checked_positions(options.positions.value_or(320))};
}

std::vector<Token> opening(const Text& text, std::string_view prompt) {
  std::vector<Token> tokens{kEndOfText};
  const auto encoded = text.tokenizer.encode(prompt);
  tokens.insert(tokens.end(), encoded.begin(), encoded.end());
  return tokens;
}

Dataset to_language(const std::vector<Pair>& pairs, const Text& text, const std::string& name) {
  const auto count = static_cast<int64_t>(pairs.size());
  const auto inputs = at::full({count, text.positions}, kEndOfText, at::kLong);
  const auto targets = at::full({count, text.positions}, kIgnored, at::kLong);
  for (int64_t i = 0; i < count; ++i) {
    auto tokens = opening(text, pairs[i].prompt);
    std::vector<Token> next(tokens.size() - 1, kIgnored);
    const auto answer = text.tokenizer.encode(pairs[i].answer);
    tokens.insert(tokens.end(), answer.begin(), answer.end());
    next.insert(next.end(), answer.begin(), answer.end());
    next.push_back(kEndOfText);
    write(tokens, inputs[i]);
    write(next, targets[i]);
  }
  if (count > 0 && targets.eq(kIgnored).all().item<bool>()) {
    throw base::InvalidArgument("positions", fmt::format("cut every text of {} before its answer begins", name),
                                fmt::to_string(text.positions), "raise positions: they hold the prompt and the answer");
  }
  return {inputs, targets, text.tokenizer.size(), name, base::Task::language_model, text.tokenizer.size(), text.warnings};
}

at::Tensor to_rows(const std::vector<std::string>& texts, const Text& text) {
  auto rows = at::full({static_cast<int64_t>(texts.size()), text.positions}, kEndOfText, at::kLong);
  for (std::size_t i = 0; i < texts.size(); ++i) write(opening(text, texts[i]), rows[static_cast<int64_t>(i)]);
  return rows;
}

}  // namespace ghostgrad::data
