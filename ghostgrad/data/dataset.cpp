// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/dataset.h"

#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::data {

void check_finite(const Dataset& dataset) {
  if (!dataset.inputs.is_floating_point() || dataset.size() == 0) return;
  const auto broken = dataset.inputs.isfinite().reshape({dataset.size(), -1}).all(1).logical_not().sum().item<int64_t>();
  if (broken == 0) return;
  throw base::InvalidArgument(dataset.name, "every input must be a finite number",
                              fmt::format("NaN or infinity in {} of {} examples", broken, dataset.size()),
                              "repair or remove these examples before training");
}

}  // namespace ghostgrad::data
