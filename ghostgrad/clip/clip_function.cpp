// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/clip_function.h"

#include <cmath>

#include <ATen/ops/full_like.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::clip {
namespace {

// C / 0 is infinite and min makes it 1: a zero gradient stays zero.
at::Tensor abadi(const at::Tensor& norms, const Clipping& clipping) {
  return at::reciprocal(norms).mul_(clipping.threshold).clamp_max_(1.0);
}

at::Tensor regularized(const at::Tensor& norms, const Clipping& clipping) {
  return at::reciprocal(norms + clipping.constant).mul_(clipping.threshold);
}

/// Shorter gradients than this are not blown up: their squares are lost in float32, and with them the norm.
constexpr double kShortest = 1e-12;

at::Tensor to_length(const at::Tensor& norms, const Clipping& clipping) {
  return at::reciprocal(norms.clamp_min(kShortest)).mul_(clipping.threshold);
}

at::Tensor adaptive(const at::Tensor& norms, const Clipping& clipping) {
  const at::Tensor added = at::reciprocal(norms + clipping.constant).mul_(clipping.constant);
  return at::reciprocal(norms + added).mul_(clipping.threshold);
}

at::Tensor indicator(const at::Tensor& norms, const Clipping& clipping) {
  const at::Tensor scale = at::full_like(norms, clipping.threshold / clipping.constant);
  return at::where(norms <= clipping.constant, scale, at::zeros({}, norms.options()));
}

}  // namespace

const std::vector<ClipFunction>& clip_functions() {
  static const std::vector<ClipFunction> table = {
      {"abadi", "min(1, C / |G|)", "", 0, abadi},
      {"automatic", "C / (|G| + gamma)", "gamma", 0.01, regularized},
      {"auto_v", "C / |G|", "", 0, to_length},
      {"normalize", "C / (|G| + r)", "r", 0.1, regularized},
      {"psac", "C / (|G| + r / (|G| + r))", "r", 0.1, adaptive},
      {"global", "C / Z if |G| <= Z, else 0", "Z", 10, indicator},
  };
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

double constant_of(const ClipFunction& function, const std::optional<double>& given) {
  if (!given) return function.usual;
  if (function.constant.empty()) {
    throw base::InvalidArgument("clip_constant", function.name + " has no constant", fmt::to_string(*given), "leave it out");
  }
  if (!(*given > 0 && std::isfinite(*given))) {
    throw base::InvalidArgument("clip_constant", function.constant + " of " + function.name + " must be a positive number",
                                fmt::to_string(*given), fmt::format("pass e.g. {}", function.usual));
  }
  return *given;
}

}  // namespace ghostgrad::clip
