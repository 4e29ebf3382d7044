// SPDX-License-Identifier: Apache-2.0
// Data sets by name, as the command line writes them: `digits`, `mnist:DIR`, `cifar10:DIR`, `e2e:DIR`.
//
//     data::Split split = data::open("mnist:data/mnist");
//     data::Split split = data::open("e2e:data/e2e", {.tokenizer = "bpe"});
//     for (const auto& source : data::sources()) help += source.spec;
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ghostgrad/data/dataset.h"
#include "ghostgrad/data/text.h"

namespace ghostgrad::data {

/// One row of the table of data sets.
struct Source {
  std::string_view name;
  std::string_view spec;  // how a user writes it
  std::string_view description;
  bool needs_directory;
  bool is_text;
  Split (*open)(const std::string& directory, const TextOptions& text);
};

[[nodiscard]] std::span<const Source> sources();

/// Throws InvalidArgument for an unknown spec, listing what exists, and for options of text where there is none; and what the readers
/// throw.
[[nodiscard]] Split open(const std::string& spec, const TextOptions& text = {});

}  // namespace ghostgrad::data
