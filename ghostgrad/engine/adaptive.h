// SPDX-License-Identifier: Apache-2.0
// Adaptive clipping: the threshold follows a quantile of the gradient norms, found privately [Andrew21, Alg. 1].
//
//     b  = (sum_i (1[|G_i| <= C] - 1/2) + sigma_b N(0, 1)) / B + 1/2        the fraction of norms below C
//     C <- C exp(-rate (b - quantile))
//
// The counts are released together with the clipped sum, as one Gaussian mechanism. One example moves the sum by C and the counts by 1/2, so
// the sum gets the noise multiplier [Andrew21, Thm. 1]
//
//     sigma_sum = (sigma^-2 - (2 sigma_b)^-2)^-1/2                          slightly above sigma
//
// and the pair is worth sigma: the accountant sees the event of the plan.
//
// Guarantee: C reacts to releases alone. Counts of masked and of non-finite examples are zero.
#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>

#include "ghostgrad/random/key.h"

namespace ghostgrad::engine {

struct AdaptiveClipping {
  double quantile = 0.5;  // of the norms, in [0, 1]: where C is to settle
  double rate = 0.2;      // > 0: how fast
  /// sigma_b > sigma / 2, the noise of the count of a logical batch. Not given: a twentieth of the expected batch size, or sigma if that is
  /// more [Andrew21, Sec. 3.1].
  std::optional<double> count_noise = std::nullopt;
};

/// The two noises of a plan.
struct SplitNoise {
  double sum;    // sigma_sum
  double count;  // sigma_b
};

/// Errors: InvalidArgument for options outside their ranges.
[[nodiscard]] SplitNoise split_noise(const AdaptiveClipping& options, double noise_multiplier, double expected_batch_size);

class AdaptiveThreshold {
 public:
  struct Plan {
    AdaptiveClipping options;
    double threshold;  // the first C
    double noise_multiplier;
    double expected_batch_size;
  };

  explicit AdaptiveThreshold(const Plan& plan);

  [[nodiscard]] double threshold() const { return threshold_; }
  [[nodiscard]] const SplitNoise& noise() const { return noise_; }

  /// Counts one physical batch. norms [B]; mask: bool [B] or undefined.
  void count(const at::Tensor& norms, const at::Tensor& mask);
  /// Releases the count of the logical batch, with noise of its own, and moves the threshold.
  void release(const random::Key& key, uint64_t step);
  void discard() { halves_ = 0; }

 private:
  Plan plan_;
  SplitNoise noise_;
  double threshold_;
  int64_t halves_ = 0;  // twice the sum of the counts: an integer
};

}  // namespace ghostgrad::engine
