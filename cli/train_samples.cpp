// SPDX-License-Identifier: Apache-2.0
#include "cli/train_samples.h"

#include <algorithm>

#include "ghostgrad/models/generate.h"

namespace ghostgrad::cli {
namespace {

// Bytes that are no UTF-8, which an untrained model writes, as question marks: they could not be printed, nor stand in JSON.
std::string printable(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F) c = '?';
  }
  return text;
}

}  // namespace

std::vector<Sample> samples_of(models::Model& model, const data::Text& text, int64_t count) {
  std::vector<Sample> samples;
  for (const auto& prompt : text.prompts) {
    if (static_cast<int64_t>(samples.size()) == count) break;
    const auto tokens = models::continued(model, data::opening(text, prompt),
                                          {.most = text.positions, .positions = text.positions, .end = data::kEndOfText});
    samples.push_back({printable(prompt), printable(text.tokenizer.decode(tokens))});
  }
  return samples;
}

}  // namespace ghostgrad::cli
