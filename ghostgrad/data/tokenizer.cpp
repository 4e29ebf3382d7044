// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/tokenizer.h"

#include <algorithm>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::data {
namespace {

enum class Kind { letter, digit, other };

// Bytes from 128 on are parts of letters in UTF-8, mostly. Not std::isalpha: that depends on the locale.
Kind kind_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte >= 128) return Kind::letter;
  return byte >= '0' && byte <= '9' ? Kind::digit : Kind::other;
}

}  // namespace

std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  std::size_t start = 0;
  while (start < text.size()) {
    const bool blank = text[start] == ' ' && start + 1 < text.size() && kind_of(text[start + 1]) != Kind::other;
    std::size_t end = start + (blank ? 2 : 1);
    const Kind kind = kind_of(text[end - 1]);
    while (end < text.size() && kind != Kind::other && kind_of(text[end]) == kind) ++end;
    pieces.push_back(text.substr(start, end - start));
    start = end;
  }
  return pieces;
}

void replace_pair(std::vector<Token>& tokens, const Merge& pair, Token by) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i, ++kept) {
    const bool here = i + 1 < tokens.size() && tokens[i] == pair.first && tokens[i + 1] == pair.second;
    tokens[kept] = here ? by : tokens[i];
    if (here) ++i;
  }
  tokens.resize(kept);
}

Tokenizer::Tokenizer(std::vector<Merge> merges) : merges_(std::move(merges)) {
  for (const auto& [left, right] : merges_) {
    const Token next = kFirstMerge + static_cast<Token>(texts_.size());
    if (std::min(left, right) <= kEndOfText || std::max(left, right) >= next) {
      throw base::InvalidArgument("merges", fmt::format("the one that becomes token {} must join tokens from 1 to {}", next, next - 1),
                                  fmt::format("{} and {}", left, right), "pass merges in the order in which they were learned");
    }
    merged_.emplace(key_of({left, right}), next);
    const Token both[] = {left, right};
    texts_.push_back(decode(both));
  }
}

// The pair that was learned first is merged first, as when it was learned.
void Tokenizer::append_piece(std::string_view piece, std::vector<Token>& tokens) const {
  std::vector<Token> parts;
  for (const char c : piece) parts.push_back(1 + static_cast<unsigned char>(c));
  for (;;) {
    Token first = size();
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = merged_.find(key_of({parts[i], parts[i + 1]}));
      if (found != merged_.end()) first = std::min(first, found->second);
    }
    if (first == size()) break;
    replace_pair(parts, merges_[first - kFirstMerge], first);
  }
  tokens.insert(tokens.end(), parts.begin(), parts.end());
}

std::vector<Token> Tokenizer::encode(std::string_view text) const {
  std::vector<Token> tokens;
  for (const auto piece : pieces_of(text)) append_piece(piece, tokens);
  return tokens;
}

std::string Tokenizer::decode(std::span<const Token> tokens) const {
  std::string text;
  for (const Token token : tokens) {
    if (token > kEndOfText && token < kFirstMerge) text.push_back(static_cast<char>(token - 1));
    if (token >= kFirstMerge && token < kFirstMerge + static_cast<Token>(texts_.size())) text += texts_[token - kFirstMerge];
  }
  return text;
}

}  // namespace ghostgrad::data
