// SPDX-License-Identifier: Apache-2.0
// The largest physical batch that each method can take under a cap on memory: the papers' second headline after speed.
//
//     for (const CapRow& row : run_caps({.models = {"resnet18"}, .cap_bytes = 1 << 30}, {})) row.largest;
//
// Counted are all tensors of the process that belong to the step: parameters, inputs, activations, gradients, sums. A cap is a number
// here, not a wall: a step that does not fit is run and counted, so memory for about twice the cap must be there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ghostgrad/measure/bench.h"

namespace ghostgrad::measure {

struct CapOptions {
  std::vector<std::string> models = {"mlp", "deep_cnn", "gpt"};
  std::vector<std::string> methods = {};  // empty: all
  WorkloadOptions sizes = {};             // batch is what is searched for
  int64_t cap_bytes = 0;
  /// Instantiated gradients that `auto` may keep: more speed, fewer examples. If not given, an eighth of the cap.
  std::optional<int64_t> keep_bytes = std::nullopt;
  int64_t limit = 1024;  // the largest batch that is tried
};

struct CapRow {
  std::string model;
  std::string what;
  std::string method;
  int64_t largest = 0;             // examples, to within 2 %; 0: not even one fits
  bool is_limit = false;           // the limit fits: more might
  int64_t peak_bytes = 0;          // of the largest
  double examples_per_second = 0;  // of the largest; only ratios mean anything
};

/// Errors: InvalidArgument for what is no model, method, or positive number.
[[nodiscard]] std::vector<CapRow> run_caps(const CapOptions& options, const Progress& progress);

/// A Markdown table of the rows.
[[nodiscard]] std::string to_markdown(const std::vector<CapRow>& rows);

}  // namespace ghostgrad::measure
