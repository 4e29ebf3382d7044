// SPDX-License-Identifier: Apache-2.0
// One example at a time: the slow, obvious way, and the judge of all others.
//
//     for each i:  G_i = grad(loss_i);  for each group of parameters:  sum += clip(|G_i|) G_i
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/clip/clip_function.h"
#include "ghostgrad/clip/groups.h"

namespace ghostgrad::clip {

/// Gradients of one example's loss, one per parameter, undefined where the loss does not depend on it; nothing when the loss is not finite.
using ExampleGradients = std::function<std::optional<std::vector<at::Tensor>>(int64_t example)>;

struct LoopSum {
  at::Tensor norms;              // [B] float64, NaN or Inf where an example is not finite
  std::vector<at::Tensor> sums;  // clipped, one per parameter; undefined where no gradient came
  int64_t nonfinite = 0;
};

struct LoopOptions {
  int64_t examples = 0;
  at::Tensor mask;  // bool [B] or undefined
  const ClipFunction* clip_function = nullptr;
  double clip_constant = 0;
  const Groups* groups = nullptr;
};

[[nodiscard]] LoopSum clip_by_loop(const ExampleGradients& gradients, const LoopOptions& options);

}  // namespace ghostgrad::clip
