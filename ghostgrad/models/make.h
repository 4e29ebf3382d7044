// SPDX-License-Identifier: Apache-2.0
// Models by name, as the command line and the benchmarks choose them.
//
//     auto model = models::make("resnet18", {.input_shape = {3, 32, 32}, .classes = 10});
//     for (const auto& row : models::architectures()) help += row.name;
//
// Initial parameters come from torch's default generator alone: the same torch::manual_seed gives the same model.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ghostgrad/base/task.h"
#include "ghostgrad/models/model.h"

namespace ghostgrad::models {

struct ModelOptions {
  std::vector<int64_t> input_shape = {1, 28, 28};  // of one example; {T} for sequences of T tokens
  int64_t classes = 10;                            // for a language model: the vocabulary
  int64_t vocabulary = 0;                          // of a classifier of token sequences
};

/// What one example is.
enum class Input {
  numbers,  // of any shape
  images,   // [channels, height, width]
  tokens    // [T] int64
};

/// One row of the table of models.
struct Architecture {
  std::string_view name;
  std::string_view what;    // the sizes that the name stands for
  std::string_view source;  // "[He16, Table 1]"
  Input input;
  ModelOptions usual;  // what it is usually trained on,
  int64_t parameters;  // and how many parameters it has then
  std::function<std::shared_ptr<Model>(const ModelOptions& options)> make;
  base::Task task = base::Task::classification;
  int64_t smallest_side = 1;  // of an image: a lower or narrower one is refused
};

[[nodiscard]] std::span<const Architecture> architectures();

/// Throws InvalidArgument for an unknown name, listing what exists.
[[nodiscard]] const Architecture& find(const std::string& name);

/// Throws InvalidArgument for an unknown name, and for inputs that the model cannot take.
[[nodiscard]] std::shared_ptr<Model> make(const std::string& name, const ModelOptions& options);

}  // namespace ghostgrad::models
