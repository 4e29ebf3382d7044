// SPDX-License-Identifier: Apache-2.0
// Texts as a data set of token sequences of one length T.
//
//     inputs    0, prompt, answer, 0, 0 ...                 [N, T]; token 0 begins a text, ends it, and fills it up
//     targets   the next token at each position of the answer and at its end, kIgnored at all others     [N, T]
//
// Guarantee: T and the number of tokens are chosen, not measured; a text that is too long is cut. A row depends on its own text and on the
// tokenizer alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ghostgrad/data/dataset.h"
#include "ghostgrad/data/tokenizer.h"

namespace ghostgrad::data {

/// How text becomes tokens. What is not given is chosen by tokenizer().
struct TextOptions {
  std::optional<std::string> tokenizer{};  // "bytes" (the default), or "bpe": learned from the training texts, which is not private
  std::optional<int64_t> vocabulary{};     // tokens of bpe; 1000
  std::optional<int64_t> positions{};      // T; 320 for bytes, 128 for bpe
};

/// What text data have besides numbers.
struct Text {
  Tokenizer tokenizer;
  int64_t positions = 0;
  std::vector<std::string> prompts{};   // of the test examples, each once: to have them continued
  std::vector<std::string> warnings{};  // what choosing the tokenizer has told of the training examples
};

struct Pair {
  std::string prompt;  // given
  std::string answer;  // to be written
};

/// Throws InvalidArgument for an unknown tokenizer, a vocabulary without bpe, and numbers out of range.
[[nodiscard]] Text text_of(const TextOptions& options, const std::vector<std::string_view>& training);

/// A data set to learn answers from.
/// Errors: InvalidArgument for positions that leave no token of any answer.
[[nodiscard]] Dataset to_language(const std::vector<Pair>& pairs, const Text& text, const std::string& name);

/// inputs [N, T]: token 0 and the text, filled up with token 0.
[[nodiscard]] at::Tensor to_rows(const std::vector<std::string>& texts, const Text& text);

/// Token 0 and the prompt: what a model continues.
[[nodiscard]] std::vector<Token> opening(const Text& text, std::string_view prompt);

}  // namespace ghostgrad::data
