// SPDX-License-Identifier: Apache-2.0
// Learns a tokenizer from texts by byte-pair encoding [Sennrich16, Alg. 1]: as long as tokens are wanted, the most frequent pair of
// neighbours becomes a new one.
//
//     const Tokenizer tokenizer = byte_pairs(texts, 1000);         // 257 + 743 merges
//
// Deterministic: of pairs that are equally frequent the one with the smaller tokens goes first; the order of the texts does not matter.
//
// This looks at the texts without noise, so it is NOT PRIVATE: learn from public texts, or take plain bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ghostgrad/data/tokenizer.h"

namespace ghostgrad::data {

/// Fewer tokens than wanted where no pair occurs twice. Throws InvalidArgument for a vocabulary below 257.
[[nodiscard]] Tokenizer byte_pairs(const std::vector<std::string_view>& texts, int64_t vocabulary);

}  // namespace ghostgrad::data
