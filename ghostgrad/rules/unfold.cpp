// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/unfold.h"

#include <algorithm>
#include <numeric>

#include <ATen/ops/constant_pad_nd.h>

namespace ghostgrad::rules {
namespace {

at::Tensor padded(const at::Tensor& inputs, const std::vector<int64_t>& padding) {
  if (std::all_of(padding.begin(), padding.end(), [](int64_t p) { return p == 0; })) return inputs;
  std::vector<int64_t> both_ends;  // from the last dimension to the first
  for (auto p = padding.rbegin(); p != padding.rend(); ++p) both_ends.insert(both_ends.end(), {*p, *p});
  return at::constant_pad_nd(inputs, both_ends, 0);
}

/// [B, m, groups, C / groups, *kernel, *positions], overlapping: no copy.
at::Tensor sliding(const at::Tensor& inputs, const Convolution& convolution, const Windows& windows) {
  const int64_t channels = inputs.size(2) / convolution.groups;
  std::vector<int64_t> sizes{inputs.size(0), inputs.size(1), convolution.groups, channels};
  std::vector<int64_t> strides{inputs.stride(0), inputs.stride(1), inputs.stride(2) * channels, inputs.stride(2)};
  for (size_t d = 0; d < windows.kernel.size(); ++d) {
    sizes.push_back(windows.kernel[d]);
    strides.push_back(inputs.stride(3 + static_cast<int64_t>(d)) * convolution.dilation[d]);
  }
  for (size_t d = 0; d < windows.kernel.size(); ++d) {
    sizes.push_back(windows.positions[d]);
    strides.push_back(inputs.stride(3 + static_cast<int64_t>(d)) * convolution.stride[d]);
  }
  return inputs.as_strided(sizes, strides, inputs.storage_offset());
}

}  // namespace

at::Tensor unfold(const at::Tensor& inputs, const Convolution& convolution, const Windows& windows) {
  const at::Tensor all = sliding(padded(inputs, convolution.padding), convolution, windows);
  const auto spatial = static_cast<int64_t>(windows.kernel.size());
  const at::Tensor images_last = all.movedim(1, 3 + spatial);  // [B, groups, C / groups, *kernel, m, *positions]
  int64_t rows = all.size(3), columns = all.size(1);
  for (int64_t d = 0; d < spatial; ++d) {
    rows *= windows.kernel[d];
    columns *= windows.positions[d];
  }
  return images_last.reshape({inputs.size(0), convolution.groups, rows, columns});
}

}  // namespace ghostgrad::rules
