// SPDX-License-Identifier: Apache-2.0
// How often tensors were changed in place: autograd counts it. What changes by the way, no noise protects.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace ghostgrad::engine {

/// 0 for tensors of inference mode, which are not counted.
[[nodiscard]] int64_t version_of(const at::Tensor& tensor);

[[nodiscard]] std::vector<int64_t> versions_of(const std::vector<at::Tensor>& tensors);

}  // namespace ghostgrad::engine
