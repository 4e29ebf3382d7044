// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/images.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::data {

at::Tensor normalise(const at::Tensor& pixels, const Normalisation& constants) {
  const auto per_channel = [](const std::vector<double>& values) { return at::tensor(values, at::kFloat).view({-1, 1, 1}); };
  auto inputs = pixels.to(at::kFloat).div_(255.0);
  return inputs.sub_(per_channel(constants.mean)).div_(per_channel(constants.std));
}

at::Tensor to_targets(const at::Tensor& labels, int64_t classes, const std::string& file) {
  const auto outside = labels.ge(classes).sum().item<int64_t>();
  if (outside != 0) {
    throw base::SystemError(file, fmt::format("every label must lie in [0, {}]", classes - 1),
                            fmt::format("{} of {} outside", outside, labels.size(0)),
                            "the file is damaged or holds another data set: fetch it again");
  }
  return labels.to(at::kLong);
}

}  // namespace ghostgrad::data
