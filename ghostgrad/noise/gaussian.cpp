// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/noise/gaussian.h"

#include <ATen/ops/empty.h>

#include <cmath>

namespace ghostgrad::noise {

at::Tensor gaussian(at::IntArrayRef sizes, double deviation, random::Stream stream) {
  at::Tensor out = at::empty(sizes, at::kLong);
  int64_t* value = out.data_ptr<int64_t>();
  for (int64_t i = 0; i < out.numel(); ++i) {
    const double u = (static_cast<double>(stream.next_u64() >> 11) + 0.5) * 0x1p-53, v = static_cast<double>(stream.next_u64() >> 11) * 0x1p-53;
    value[i] = static_cast<int64_t>(std::rint(deviation * std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v)));
  }
  return out;
}

}  // namespace ghostgrad::noise
