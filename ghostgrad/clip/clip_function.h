// SPDX-License-Identifier: Apache-2.0
// Clip functions: from an example's gradient norm to the coefficient by which its gradient is scaled.
//
//     abadi       c = min(1, C / |G|)          leaves short gradients as they are [Abadi et al. 2016, Alg. 1]
//     automatic   c = C / (|G| + gamma)        AUTO-S: every gradient gets length just below C, nothing to tune [Bu et al. 2022, Eq. 6]
//
// Guarantee: c |G| <= C for every norm in [0, inf), so one example moves the clipped sum by at most C.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace ghostgrad::clip {

struct ClipFunction {
  std::string name;
  std::string formula;
  /// norms [B] float64, threshold C -> coefficients [B] float64
  at::Tensor (*coefficients)(const at::Tensor& norms, double threshold);
};

/// The stability constant of AUTO-S, as its paper uses it.
inline constexpr double kAutomaticGamma = 0.01;

[[nodiscard]] const std::vector<ClipFunction>& clip_functions();

/// Errors: InvalidArgument for an unknown name, listing the known ones.
[[nodiscard]] const ClipFunction& find_clip_function(const std::string& name);

}  // namespace ghostgrad::clip
