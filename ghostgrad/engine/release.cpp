// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/release.h"

#include <algorithm>
#include <cmath>

#include "ghostgrad/base/error.h"
#include "ghostgrad/noise/gaussian.h"

namespace ghostgrad::engine {
namespace {

/// The public part of the slack: what rounding may add to the sensitivity before any batch is seen. A batch whose own bound is larger than
/// this (very large physical batches, many of them) raises it.
constexpr double kAllowance = 1.0 / 4096;

double slack_of(const clip::ClippedSum& sum) { return std::max(kAllowance, 2 * sum.error_bound() / sum.threshold()); }

}  // namespace

NoisyGradient release(clip::ClippedSum sum, const ReleaseOptions& options, const random::Key& key) {
  NoisyGradient noisy;
  if (options.noise_multiplier > 0 && (!sum.lattice() || !sum.is_clipped())) {
    throw base::PrivacyError("release", "noise is for clipped sums on a lattice", "a sum without",
                             "start the sum with the lattice of this plan");
  }
  if (!sum.lattice()) {
    for (const at::Tensor& total : sum.totals()) noisy.values_.push_back(total / options.expected_batch_size);
    return noisy;
  }
  noisy.slack_ = slack_of(sum);
  noisy.is_private_ = key.is_private();
  const double deviation = options.noise_multiplier * sum.threshold() * (1 + noisy.slack_) / sum.lattice()->resolution;  // in lattice units
  for (size_t i = 0; i < sum.totals().size(); ++i) {
    const at::Tensor& total = sum.totals()[i];
    const random::StreamId id{random::Purpose::noise, options.step, static_cast<uint32_t>(i), 0};
    const at::Tensor units = noise::gaussian(total.sizes(), deviation, key, id).to(total.device());
    noisy.values_.push_back(noise::from_lattice(total + units, *sum.lattice()) / options.expected_batch_size);
  }
  return noisy;
}

}  // namespace ghostgrad::engine
