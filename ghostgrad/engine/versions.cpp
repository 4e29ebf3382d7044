// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/versions.h"

namespace ghostgrad::engine {

int64_t version_of(const at::Tensor& tensor) { return tensor.is_inference() ? 0 : tensor._version(); }

std::vector<int64_t> versions_of(const std::vector<at::Tensor>& tensors) {
  std::vector<int64_t> versions;
  versions.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) versions.push_back(version_of(tensor));
  return versions;
}

}  // namespace ghostgrad::engine
