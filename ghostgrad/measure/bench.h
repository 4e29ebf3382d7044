// SPDX-License-Identifier: Apache-2.0
// The benchmark: every method on the same model, batch and threads, interleaved in one process.
//
//     one step of a method   = forward + clipped sum of the physical batch
//     one step of the base   = forward + ordinary backward              (method non_private)
//     ratio                  = median time of the method / median time of the base
//
//     for (const BenchRow& row : run_bench({.models = {"vgg11"}, .batches = {8, 16}}, {})) ...
//
// Only ratios mean anything; the absolute times are those of a shared machine. Peak bytes are tensors alive at once in the first two
// steps beyond parameters and inputs. The error is that of the clipped sum against one-example-at-a-time in float64, relative to its largest element.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ghostgrad/measure/workload.h"

namespace ghostgrad::measure {

struct BenchOptions {
  std::vector<std::string> models = {"mlp", "deep_cnn", "gpt"};
  std::vector<std::string> methods = {};  // empty: all
  std::vector<int64_t> batches = {0};     // examples per physical batch; 0: each model's own
  std::vector<int64_t> threads = {1};
  WorkloadOptions sizes = {};  // batch and dtype are set from the others
  int rounds = 10;
  double seconds = 20;                    // of one method on one workload; it takes part in at least 3 rounds
  bool check = false;                     // also measure the error
  int64_t keep_bytes = int64_t{1} << 30;  // instantiated gradients that `auto` may keep
};

struct BenchRow {
  std::string model;
  std::string what;
  int64_t batch = 0;
  int64_t threads = 0;
  std::string method;
  int rounds = 0;
  double median_ms = 0;
  double minimum_ms = 0;
  double ratio = 0;                        // of medians
  double minimum_ratio = 0;                // of minima
  double operations = 0;                   // floating-point operations of a step by formula (formulas.h)
  double formula_ratio = 0;                // of them
  std::optional<double> paper_operations;  // the same as the papers do it
  std::optional<double> paper_ratio;
  int64_t peak_bytes = 0;
  int64_t formula_bytes = 0;  // beyond ordinary training by formula
  double error = -1;          // -1: not measured
};

/// `progress` hears of each workload before it is run, in words.
using Progress = std::function<void(const std::string&)>;

/// Errors: InvalidArgument for what is no model, method, or positive number.
[[nodiscard]] std::vector<BenchRow> run_bench(const BenchOptions& options, const Progress& progress);

/// A Markdown table of the rows.
[[nodiscard]] std::string to_markdown(const std::vector<BenchRow>& rows);

/// The methods of these names, or all; non_private first, whether asked for or not.
[[nodiscard]] std::vector<std::string> methods_to_measure(const std::vector<std::string>& names);

}  // namespace ghostgrad::measure
