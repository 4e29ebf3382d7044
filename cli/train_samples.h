// SPDX-License-Identifier: Apache-2.0
// What a trained language model writes to the openings of test examples.
//
//     for (const Sample& sample : samples_of(*model, *split.text, 3)) print_text(in_words(sample));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ghostgrad/data/text.h"
#include "ghostgrad/models/model.h"

namespace ghostgrad::cli {

struct Sample {
  std::string prompt;
  std::string text;
};

/// For the first `count` prompts.
[[nodiscard]] std::vector<Sample> samples_of(models::Model& model, const data::Text& text, int64_t count);

}  // namespace ghostgrad::cli
