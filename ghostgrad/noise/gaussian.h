// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "ghostgrad/random/stream.h"

namespace ghostgrad::noise {

[[nodiscard]] at::Tensor gaussian(at::IntArrayRef sizes, double deviation, random::Stream stream);

}  // namespace ghostgrad::noise
