// SPDX-License-Identifier: Apache-2.0
// Clip functions: from an example's gradient norm |G| to the coefficient c by which its gradient is scaled. Each has at most one constant.
//
//     abadi       min(1, C / |G|)              leaves short gradients as they are [Abadi16, Alg. 1]
//     automatic   C / (|G| + gamma)            AUTO-S: every gradient gets a length just below C [Bu22auto, Sec. 3]
//     auto_v      C / |G|                      AUTO-V: every gradient gets length C [Bu22auto, Sec. 3]
//     normalize   C / (|G| + r)                normalised SGD, with a larger regulariser [Yang22, Alg. 1]
//     psac        C / (|G| + r / (|G| + r))    small gradients are not blown up [Xia23, Sec. 4]
//     global      C / Z if |G| <= Z, else 0    one scale for all, longer gradients are dropped [Bu21, Sec. 4]
//
// Guarantee: c |G| <= C for every norm in [0, inf), so one example moves the clipped sum by at most C.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace ghostgrad::clip {

/// How a norm is turned into a coefficient: C and the function's own constant.
struct Clipping {
  double threshold = 1.0;
  double constant = 0;
};

struct ClipFunction {
  std::string name;
  std::string formula;
  std::string constant;  // what it is called; empty: there is none
  double usual = 0;      // its value when none is given
  /// norms [B] float64 -> coefficients [B] float64
  at::Tensor (*coefficients)(const at::Tensor& norms, const Clipping& clipping);
};

[[nodiscard]] const std::vector<ClipFunction>& clip_functions();

/// Errors: InvalidArgument for an unknown name, listing the known ones.
[[nodiscard]] const ClipFunction& find_clip_function(const std::string& name);

/// The coefficients that sums are formed with: zero for a norm of zero, whose example adds nothing, and below kLeastCoefficient, whose example
/// is longer than 1e30 C and is left out. Others keep their digits in float32.
[[nodiscard]] at::Tensor coefficients_of(const ClipFunction& function, const at::Tensor& norms, const Clipping& clipping);

inline constexpr double kLeastCoefficient = 0x1p-100;

/// The constant to use. Errors: InvalidArgument when the function has none, or for a value that is not positive and finite.
[[nodiscard]] double constant_of(const ClipFunction& function, const std::optional<double>& given);

}  // namespace ghostgrad::clip
