// SPDX-License-Identifier: Apache-2.0
// The release: the only place where a clipped sum becomes something that may be seen.
//
//     out = (sum_i c_i G_i + sigma C' N(0, I)) / expected_batch_size          [Abadi et al. 2016, Alg. 1]
//     C'  = C (1 + slack)                                                     C, plus what rounding can add to it
//
// The sum arrives in integers of the public lattice, the noise is drawn in the same integers, and integer + integer is post-processing of
// the continuous Gaussian mechanism (noise/gaussian.h). The only division is by the public expected batch size. An empty logical batch is
// released like any other.
//
// Guarantee: only release() makes a NoisyGradient; it takes the sum by value, so that one sum is released once. The deviation of the noise
// is a function of public numbers: were the slack that of the batch at hand, the noise would tell how many examples it holds, and how long
// the longest is.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/clip/clipped_sum.h"
#include "ghostgrad/random/key.h"

namespace ghostgrad::engine {

struct ReleaseOptions {
  double noise_multiplier = 0;     // sigma
  double expected_batch_size = 1;  // public
  double positions = 1;            // public: the most that an example has in any layer (tokens, pixels of a feature map)
  uint64_t step = 0;               // every release of a key has a step of its own
};

class NoisyGradient {
 public:
  [[nodiscard]] const std::vector<at::Tensor>& values() const { return values_; }
  /// False without noise, without clipping, or with a test key.
  [[nodiscard]] bool is_private() const { return is_private_; }
  /// C' / C - 1: by how much the noise was raised to cover rounding.
  [[nodiscard]] double slack() const { return slack_; }

 private:
  friend NoisyGradient release(clip::ClippedSum sum, const ReleaseOptions& options, const random::Key& key);
  NoisyGradient() = default;
  std::vector<at::Tensor> values_;  // float64, one per parameter
  bool is_private_ = false;
  double slack_ = 0;
};

/// By how much the noise of such a sum is raised, from public numbers alone: what norms may be too short by (rules/rounding.h), and at least
/// 2^-12 for the rounding of the sum.
[[nodiscard]] double slack_of(const clip::ClippedSum& sum, double expected_batch_size, double positions);

/// Errors: PrivacyError when the sum holds more examples, or positions, than the public numbers allow.
void check_covered(const clip::ClippedSum& sum, const ReleaseOptions& options);

/// Errors: those of check_covered, and PrivacyError for noise on a sum that was not clipped.
[[nodiscard]] NoisyGradient release(clip::ClippedSum sum, const ReleaseOptions& options, const random::Key& key);

}  // namespace ghostgrad::engine
