// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/clip_function.h"

#include <ATen/ops/reciprocal.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::clip {
namespace {

// C / 0 is infinite and min makes it 1: a zero gradient stays zero.
at::Tensor abadi(const at::Tensor& norms, double threshold) { return at::reciprocal(norms).mul_(threshold).clamp_max_(1.0); }

at::Tensor automatic(const at::Tensor& norms, double threshold) { return at::reciprocal(norms + kAutomaticGamma).mul_(threshold); }

}  // namespace

const std::vector<ClipFunction>& clip_functions() {
  static const std::vector<ClipFunction> table = {{"abadi", "min(1, C / |G|)", abadi}, {"automatic", "C / (|G| + 0.01)", automatic}};
  return table;
}

const ClipFunction& find_clip_function(const std::string& name) {
  std::vector<std::string> names;
  for (const ClipFunction& function : clip_functions()) {
    if (function.name == name) return function;
    names.push_back(function.name);
  }
  throw base::InvalidArgument("clip_function", "must be the name of a clip function", '"' + name + '"',
                              fmt::format("choose one of {}", fmt::join(names, ", ")));
}

}  // namespace ghostgrad::clip
