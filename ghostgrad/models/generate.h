// SPDX-License-Identifier: Apache-2.0
// What a language model writes: tokens drawn one after the other, p(token) = softmax(logits / temperature).
//
//     const auto tokens = models::continued(*gpt, {0, 12, 7}, {.most = 60});        // without the opening and the end
//
// What a released model writes is post-processing: it costs no privacy, whatever it was trained on.
#pragma once

#include <cstdint>
#include <vector>

#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct GenerateOptions {
  int64_t most = 64;         // tokens
  int64_t positions = 128;   // of opening and continuation together
  double temperature = 0.7;  // 0 takes the likeliest token each time
  int64_t end = 0;           // the token after which nothing comes
};

/// Draws from torch's default generator. Throws InvalidArgument for an opening of no tokens and a negative temperature.
[[nodiscard]] std::vector<int64_t> continued(Model& model, const std::vector<int64_t>& opening, const GenerateOptions& options);

}  // namespace ghostgrad::models
