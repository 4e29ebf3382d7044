// SPDX-License-Identifier: Apache-2.0
// From stored pixels to a labelled image data set:  input = (pixel / 255 - mean_c) / std_c  for each channel c.
//
// Guarantee: mean and std are arguments, so that they can be published constants; nothing here looks at the pixels to
// choose them. A mean measured on the private examples would be a release of its own that no accountant has seen.
#pragma once

#include <string>
#include <vector>

#include "ghostgrad/data/dataset.h"

namespace ghostgrad::data {

/// Per-channel constants, in units of full white.
struct Normalisation {
  std::vector<double> mean;
  std::vector<double> std;
};

/// pixels [N, C, H, W] uint8 -> [N, C, H, W] float32
[[nodiscard]] at::Tensor normalise(const at::Tensor& pixels, const Normalisation& constants);

/// labels [N] uint8 -> [N] int64; throws SystemError naming `file` if one is not below `classes`.
[[nodiscard]] at::Tensor to_targets(const at::Tensor& labels, int64_t classes, const std::string& file);

}  // namespace ghostgrad::data
