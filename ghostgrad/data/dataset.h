// SPDX-License-Identifier: Apache-2.0
// A data set in memory: examples along the first axis, each with one class, or with the token that follows each of its tokens.
//
//     data::Split split = data::open("mnist:/path/to/mnist");     // open.h
//     data::check_finite(split.train);
//     split.train.inputs.index_select(0, rows);                   // [rows, 1, 28, 28]
//
// Guarantee: readers scale inputs by published constants only, never by a statistic of the examples they read; and no
// error message carries a label, a pixel or the position of an example.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/base/task.h"

namespace ghostgrad::data {

struct Text;

/// A target that asks for nothing.
constexpr int64_t kIgnored = -100;

struct Dataset {
  at::Tensor inputs;    // [N, ...] float32, or int64 tokens [N, T]
  at::Tensor targets;   // [N] int64, each in [0, classes); of a language model [N, T], each in [0, classes) or kIgnored
  int64_t classes = 0;  // part of the task's definition, not counted from the targets; of a language model the number of tokens
  std::string name;     // "mnist/train": what error messages call it
  base::Task task = base::Task::classification;
  int64_t vocabulary = 0;               // tokens that there are, where inputs are tokens
  std::vector<std::string> warnings{};  // what was learned of the examples without noise, for every statement of privacy

  [[nodiscard]] int64_t size() const { return inputs.size(0); }
};

struct Split {
  Dataset train;
  Dataset test;
  std::shared_ptr<const Text> text{};  // of data that are text (text.h)
};

/// Throws InvalidArgument if an input is NaN or infinite, saying in how many examples and nothing else about them.
void check_finite(const Dataset& dataset);

}  // namespace ghostgrad::data
