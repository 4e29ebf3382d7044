// SPDX-License-Identifier: Apache-2.0
// A data set in memory: examples along the first axis, one class each.
//
//     data::Split split = data::open("mnist:/path/to/mnist");     // open.h
//     data::check_finite(split.train);
//     split.train.inputs.index_select(0, rows);                   // [rows, 1, 28, 28]
//
// Guarantee: readers scale inputs by published constants only, never by a statistic of the examples they read; and no
// error message carries a label, a pixel or the position of an example.
#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

namespace ghostgrad::data {

struct Dataset {
  at::Tensor inputs;    // [N, ...] float32, or int64 tokens
  at::Tensor targets;   // [N] int64, each in [0, classes)
  int64_t classes = 0;  // part of the task's definition, not counted from the targets
  std::string name;     // "mnist/train": what error messages call it

  [[nodiscard]] int64_t size() const { return inputs.size(0); }
};

struct Split {
  Dataset train;
  Dataset test;
};

/// Throws InvalidArgument if an input is NaN or infinite, saying in how many examples and nothing else about them.
void check_finite(const Dataset& dataset);

}  // namespace ghostgrad::data
