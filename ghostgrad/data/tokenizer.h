// SPDX-License-Identifier: Apache-2.0
// Text as tokens and back: bytes, and pairs of tokens that were merged into one [Sennrich16, Sec. 3.2].
//
//     token 0                 ends a text, and fills up what is shorter than others
//     tokens 1 ... 256        the bytes 0 ... 255
//     token 257 + k           the k-th merge
//
//     const Tokenizer bytes;                                      // no merges: nothing was learned
//     const Tokenizer pairs = byte_pairs(texts, 1000);            // byte_pairs.h; learned from these texts
//     pairs.decode(pairs.encode("a coffee shop")) == "a coffee shop"
//
// Guarantee: decode(encode(text)) == text for every string of bytes, also one that is no UTF-8 and one unlike those that were learned from.
//
// Merges that were learned from private texts say something about these texts that no noise covers; bytes say nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ghostgrad::data {

using Token = int64_t;
using Merge = std::pair<Token, Token>;

constexpr Token kEndOfText = 0;
constexpr Token kFirstMerge = 257;

class Tokenizer {
 public:
  Tokenizer() = default;
  /// Throws InvalidArgument for a merge of tokens that do not exist yet.
  explicit Tokenizer(std::vector<Merge> merges);

  /// How many tokens there are.
  [[nodiscard]] int64_t size() const { return kFirstMerge + static_cast<int64_t>(merges_.size()); }
  [[nodiscard]] const std::vector<Merge>& merges() const { return merges_; }

  [[nodiscard]] std::vector<Token> encode(std::string_view text) const;
  /// Tokens that are no text, such as kEndOfText, are left out.
  [[nodiscard]] std::string decode(std::span<const Token> tokens) const;

 private:
  void append_piece(std::string_view piece, std::vector<Token>& tokens) const;

  std::vector<Merge> merges_;
  std::unordered_map<uint64_t, Token> merged_;  // what a pair becomes, by key_of() it
  std::vector<std::string> texts_;              // of each merge
};

/// A text cut where no merge reaches across: a word with the blank before it, a number, other characters; together they are the text.
[[nodiscard]] std::vector<std::string_view> pieces_of(std::string_view text);

/// One number for a pair of tokens below 2^32; in the order of the pairs.
[[nodiscard]] constexpr uint64_t key_of(const Merge& pair) {
  return static_cast<uint64_t>(pair.first) << 32 | static_cast<uint64_t>(pair.second);
}

/// Replaces every occurrence of a pair, from left to right.
void replace_pair(std::vector<Token>& tokens, const Merge& pair, Token by);

}  // namespace ghostgrad::data
