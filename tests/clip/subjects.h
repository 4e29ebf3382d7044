// SPDX-License-Identifier: Apache-2.0
// Small models of every kind that the clipper must be exact for, each with a batch and per-example losses.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <torch/nn.h>

namespace ghostgrad::tests {

using Batch = std::vector<at::Tensor>;
using LossFunction = std::function<at::Tensor(const Batch&)>;

struct Subject {
  std::vector<at::Tensor> parameters;
  Batch batch;
  LossFunction losses;
};

struct SubjectFactory {
  std::string name;
  std::function<Subject(int64_t examples, at::ScalarType dtype)> make;
};

/// Makes gtest print the name.
inline void PrintTo(const SubjectFactory& factory, std::ostream* out) { *out << factory.name; }

[[nodiscard]] const std::vector<SubjectFactory>& subjects();
/// One layer each, in the ways that other systems got wrong.
[[nodiscard]] const std::vector<SubjectFactory>& layer_subjects();

/// The oracle: one forward and one backward per example, in the batch's own precision. Per-example gradients, [B] of one tensor per
/// parameter.
[[nodiscard]] std::vector<std::vector<at::Tensor>> one_at_a_time(const Subject& subject);

/// Norms [B] of those, and their sum clipped to `threshold` by min(1, C / norm).
struct Reference {
  at::Tensor norms;
  std::vector<at::Tensor> sums;
};
[[nodiscard]] Reference reference(const Subject& subject, double threshold);

/// Largest |a - b| relative to the largest |b| over all tensors, or to `size` where all |b| are smaller (sums that cancel).
[[nodiscard]] double relative_error(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b, double size = 0);

}  // namespace ghostgrad::tests
