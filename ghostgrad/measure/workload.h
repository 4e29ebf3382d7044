// SPDX-License-Identifier: Apache-2.0
// What the benchmark runs: a model of the table in models/make.h, a batch of random inputs, and per-example losses.
//
//     Workload workload = make_workload("resnet18", {.batch = 8});
//     at::Tensor losses = workload.losses(workload.batch);          // [B]
//
// The same options give the same parameters and inputs, bit for bit.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/models/make.h"

namespace ghostgrad::measure {

struct Workload {
  std::string model;
  std::string what;    // "784-512-256-10"
  int64_t examples{};  // B
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> batch;                                     // examples first
  std::function<at::Tensor(const std::vector<at::Tensor>&)> losses;  // batch -> [B]
};

/// 0: the model's own, as in `usual_sizes`.
struct WorkloadOptions {
  int64_t batch = 0;       // B
  int64_t side = 0;        // height and width of images
  int64_t positions = 0;   // T of token sequences
  int64_t vocabulary = 0;  // tokens that there are
  at::ScalarType dtype = at::kFloat;
};

/// Sizes at which a step takes well under a second on one core, but for the largest models.
struct UsualSizes {
  int64_t batch;
  models::ModelOptions options;
};

[[nodiscard]] UsualSizes usual_sizes(const models::Architecture& architecture);

/// Errors: InvalidArgument for an unknown model, and for sizes that it has not (positions of an image) or cannot take.
[[nodiscard]] Workload make_workload(const std::string& model, const WorkloadOptions& options = {});

/// Errors: those of make_workload, for the first of these models that there is an error for.
void check_sizes(const std::vector<std::string>& models, const WorkloadOptions& options);

}  // namespace ghostgrad::measure
