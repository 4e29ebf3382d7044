// SPDX-License-Identifier: Apache-2.0
// What the benchmark runs: a model, a batch of random inputs, and per-example losses.
//
//     Workload workload = make_workload("transformer", {.batch = 16});
//     at::Tensor losses = workload.losses(workload.batch);          // [B]
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace ghostgrad::measure {

struct Workload {
  std::string name;
  std::string what;  // "784-512-256-10, B 128"
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> batch;                                     // examples first
  std::function<at::Tensor(const std::vector<at::Tensor>&)> losses;  // batch -> [B]
};

struct WorkloadOptions {
  int64_t batch = 0;  // 0: the workload's own
  at::ScalarType dtype = at::kFloat;
};

struct WorkloadRow {
  std::string name;
  std::string what;
  int64_t batch;
};

[[nodiscard]] const std::vector<WorkloadRow>& workloads();

/// Errors: InvalidArgument for an unknown name, listing the known ones.
[[nodiscard]] Workload make_workload(const std::string& name, const WorkloadOptions& options = {});

}  // namespace ghostgrad::measure
