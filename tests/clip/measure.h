// SPDX-License-Identifier: Apache-2.0
// One subject through the clipper, by any method: norms, sum, and what the clipper says about it.
#pragma once

#include "subjects.h"
#include <string>
#include <vector>

#include "ghostgrad/clip/clipper.h"

namespace ghostgrad::tests {

struct How {
  std::string method = "auto";
  double threshold = 1.0;
  std::string clip_function = "abadi";
  clip::Groups groups{};
  at::Tensor mask{};
};

struct Measured {
  at::Tensor norms;              // [B]
  std::vector<at::Tensor> sums;  // float64
  std::vector<clip::CallReport> calls;
  int64_t nonfinite = 0;
};

/// The clipped sum without noise of one physical batch. Throws what the clipper throws.
[[nodiscard]] Measured measure(const Subject& subject, const How& how);

/// The examples of a batch at these places, in this order.
[[nodiscard]] Batch select(const Batch& batch, const std::vector<int64_t>& places);

/// The same model and losses on another batch.
[[nodiscard]] Subject with_batch(const Subject& subject, Batch batch);

/// L2 distance of two lists of tensors.
[[nodiscard]] double distance(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b);

/// Names of the methods that clip.
[[nodiscard]] std::vector<std::string> clipping_methods();

/// True when part of the subject has no rule: such a call cannot keep a non-finite example apart.
[[nodiscard]] bool runs_through_the_fallback(const Measured& measured);

}  // namespace ghostgrad::tests
