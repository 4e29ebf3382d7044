// SPDX-License-Identifier: Apache-2.0
// The benchmark: every method on the same model, batch and threads, interleaved in one process.
//
//     one step of a method   = forward + clipped sum of the physical batch
//     one step of the base   = forward + ordinary backward              (method non_private)
//     ratio                  = median time of the method / median time of the base
//
// Only ratios mean anything; the absolute times are those of a shared machine. Peak bytes are tensors alive at once above what was alive
// before the step. The error is that of the clipped sum against one-example-at-a-time in float64, relative to its largest element.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ghostgrad/measure/workload.h"

namespace ghostgrad::measure {

struct BenchOptions {
  std::vector<std::string> models = {"mlp", "cnn", "transformer"};
  std::vector<std::string> methods;  // empty: all
  int64_t batch = 0;                 // 0: each workload's own
  int rounds = 10;
  bool check = false;  // also measure the error
};

struct BenchRow {
  std::string model;
  std::string what;
  std::string method;
  double median_ms = 0;
  double minimum_ms = 0;
  double ratio = 0;          // of medians
  double minimum_ratio = 0;  // of minima
  int64_t peak_bytes = 0;
  double error = -1;  // -1: not measured
};

/// `progress` hears of each model before it is run.
[[nodiscard]] std::vector<BenchRow> run_bench(const BenchOptions& options, const std::function<void(const std::string&)>& progress);

/// A Markdown table of the rows.
[[nodiscard]] std::string to_markdown(const std::vector<BenchRow>& rows);

}  // namespace ghostgrad::measure
