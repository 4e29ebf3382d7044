// SPDX-License-Identifier: Apache-2.0
// Models by name, as the command line and the benchmarks choose them.
//
//     auto model = models::make("transformer", {.input_shape = {1, 28, 28}, .classes = 10});
//     for (const auto& row : models::architectures()) help += row.name;
//
// Initial parameters come from torch's default generator alone: the same torch::manual_seed gives the same model.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct ModelOptions {
  std::vector<int64_t> input_shape = {1, 28, 28};  // of one example; {T} for sequences of T tokens
  int64_t classes = 10;                            // for a language model: the vocabulary
};

/// One row of the table of models.
struct Architecture {
  std::string_view name;
  std::string_view description;
  std::string_view defaults;  // hyper-parameters that make() uses
  std::shared_ptr<Model> (*make)(const ModelOptions& options);
};

[[nodiscard]] std::span<const Architecture> architectures();

/// Throws InvalidArgument for an unknown name, listing what exists, or for inputs that the model cannot take.
[[nodiscard]] std::shared_ptr<Model> make(const std::string& name, const ModelOptions& options);

}  // namespace ghostgrad::models
