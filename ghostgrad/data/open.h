// SPDX-License-Identifier: Apache-2.0
// Data sets by name, as the command line writes them: `digits`, `mnist:DIR`, `cifar10:DIR`.
//
//     data::Split split = data::open("mnist:data/mnist");
//     for (const auto& source : data::sources()) help += source.spec;
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ghostgrad/data/dataset.h"

namespace ghostgrad::data {

/// One row of the table of data sets.
struct Source {
  std::string_view name;
  std::string_view spec;  // how a user writes it
  std::string_view description;
  bool needs_directory;
  Split (*open)(const std::string& directory);
};

[[nodiscard]] std::span<const Source> sources();

/// Throws InvalidArgument for an unknown spec, listing what exists, and what the readers throw.
[[nodiscard]] Split open(const std::string& spec);

}  // namespace ghostgrad::data
