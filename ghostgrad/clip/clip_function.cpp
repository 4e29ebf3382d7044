// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/clip_function.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/rules/rounding.h"

namespace ghostgrad::clip {
namespace {

// C / 0 is infinite and min makes it 1: a zero gradient stays zero.
at::Tensor abadi(const at::Tensor& norms, const Clipping& clipping) {
  return at::reciprocal(norms).mul_(clipping.threshold).clamp_max_(1.0);
}

/// Norms below that are not told apart (rules/rounding.h): such a gradient is not blown up more than one of that length.
at::Tensor at_least_shortest(const at::Tensor& norms) { return norms.clamp_min(rules::kShortest); }

at::Tensor regularized(const at::Tensor& norms, const Clipping& clipping) {
  return at::reciprocal(at_least_shortest(norms) + clipping.constant).mul_(clipping.threshold);
}

at::Tensor to_length(const at::Tensor& norms, const Clipping& clipping) {
  return at::reciprocal(at_least_shortest(norms)).mul_(clipping.threshold);
}

at::Tensor adaptive(const at::Tensor& norms, const Clipping& clipping) {
  const at::Tensor lengths = at_least_shortest(norms), added = at::reciprocal(lengths + clipping.constant).mul_(clipping.constant);
  return at::reciprocal(lengths + added).mul_(clipping.threshold);
}

at::Tensor indicator(const at::Tensor& norms, const Clipping& clipping) {
  const at::Tensor scale = at::full_like(norms, clipping.threshold / clipping.constant);
  return at::where(at_least_shortest(norms) <= clipping.constant, scale, at::zeros({}, norms.options()));
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

at::Tensor coefficients_of(const ClipFunction& function, const at::Tensor& norms, const Clipping& clipping) {
  const at::Tensor all = function.coefficients(norms, clipping);
  return at::where(norms.gt(0).logical_and_(all.ge(kLeastCoefficient)), all, at::zeros({}, all.options()));
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
