// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/byte_pairs.h"

#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::data {
namespace {

struct Piece {
  std::vector<Token> tokens;
  int64_t count = 0;  // in the texts
};

std::vector<Piece> count_pieces(const std::vector<std::string_view>& texts) {
  std::map<std::string_view, int64_t> counts;
  for (const auto text : texts) {
    for (const auto piece : pieces_of(text)) ++counts[piece];
  }
  const Tokenizer bytes;
  std::vector<Piece> pieces;
  for (const auto& [piece, count] : counts) pieces.push_back({bytes.encode(piece), count});
  return pieces;
}

std::unordered_map<uint64_t, int64_t> count_pairs(const std::vector<Piece>& pieces) {
  std::unordered_map<uint64_t, int64_t> counts;
  for (const auto& [tokens, count] : pieces) {
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) counts[key_of({tokens[i], tokens[i + 1]})] += count;
  }
  return counts;
}

Merge pair_of(uint64_t key) { return {static_cast<Token>(key >> 32), static_cast<Token>(key & 0xFFFFFFFFU)}; }

/// The most frequent pair, if one occurs twice.
std::optional<Merge> best_pair(const std::vector<Piece>& pieces) {
  uint64_t best = 0;
  int64_t most = 1;
  for (const auto& [key, count] : count_pairs(pieces)) {
    if (count > most || (count == most && most > 1 && key < best)) {
      best = key;
      most = count;
    }
  }
  return most > 1 ? std::optional(pair_of(best)) : std::nullopt;
}

}  // namespace

Tokenizer byte_pairs(const std::vector<std::string_view>& texts, int64_t vocabulary) {
  if (vocabulary < kFirstMerge) {
    throw base::InvalidArgument("vocabulary", fmt::format("must be at least {}: every byte is a token, and the end is one", kFirstMerge),
                                fmt::to_string(vocabulary), "pass e.g. 1000");
  }
  auto pieces = count_pieces(texts);
  std::vector<Merge> merges;
  while (kFirstMerge + static_cast<int64_t>(merges.size()) < vocabulary) {
    const auto best = best_pair(pieces);
    if (!best) break;
    for (auto& piece : pieces) replace_pair(piece.tokens, *best, kFirstMerge + static_cast<Token>(merges.size()));
    merges.push_back(*best);
  }
  return Tokenizer(std::move(merges));
}

}  // namespace ghostgrad::data
