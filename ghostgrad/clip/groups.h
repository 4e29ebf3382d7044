// SPDX-License-Identifier: Apache-2.0
// Groups of parameters that are clipped apart, each to a threshold of its own.
//
//     sum_i (c_i1 G_i1, ..., c_ig G_ig),  |c_ig G_ig| <= C_g          one example moves it by at most C = sqrt(sum_g C_g^2)
//
//     flat                    all parameters together
//     per_layer               a group for each module: the name up to its last dot          [McMahan18, Sec. 3; He23]
//     per_block               the name up to its first number: "blocks.3", "layer1.0"; else the module
//     per_parameter           each by itself
//     "encoder=0.5,head=1"    by prefix, with thresholds; the longest prefix that fits, and an empty one fits all
//
//     const Groups groups = make_groups("per_layer", names, 1.0);      // C_g = 1 / sqrt(g): together C
//
// The noise has standard deviation sigma C for every group, C the one of all: what is released is one Gaussian mechanism.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ghostgrad::clip {

struct Groups {
  std::vector<std::string> names;
  std::vector<double> thresholds;  // C_g
  std::vector<int> of_parameter;   // the group of each parameter

  [[nodiscard]] int count() const { return static_cast<int>(thresholds.size()); }
  /// How far one example moves the clipped sum at most: sqrt(sum_g C_g^2).
  [[nodiscard]] double sensitivity() const;
  /// The same groups, all thresholds scaled so that the sensitivity is this.
  [[nodiscard]] Groups scaled_to(double sensitivity) const;
};

/// All parameters in one group.
[[nodiscard]] Groups one_group(size_t parameters, double threshold);

/// Errors: InvalidArgument for what is none of the above, for a parameter that fits no prefix, for a prefix that fits no parameter, and for
/// thresholds that are not positive; those of threshold_of().
[[nodiscard]] Groups make_groups(const std::string& spec, const std::vector<std::string>& parameters,
                                 std::optional<double> threshold = std::nullopt);

/// Whether the thresholds are part of the spec.
[[nodiscard]] bool gives_thresholds(const std::string& spec);

constexpr double kUsualThreshold = 1;

/// C as a plan has it: the one given, or else the usual one; none where the groups give their own.
/// Errors: InvalidArgument for one that is not positive, and for one beside those of the groups, which would have no effect.
[[nodiscard]] std::optional<double> threshold_of(const std::string& spec, std::optional<double> given);

}  // namespace ghostgrad::clip
