// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/adaptive.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/noise/gaussian.h"

namespace ghostgrad::engine {
namespace {

/// The lattice of the counts: far below their noise, and their own grid of halves is on it.
constexpr double kUnitsPerHalf = 1 << 20;

/// The stream of the counts' noise, beside those of the parameters.
constexpr uint32_t kCountTensor = std::numeric_limits<uint32_t>::max();

/// C moves by powers of e; this keeps one that runs away inside what clipping can do.
constexpr double kLeast = 1e-9, kMost = 1e9;

void require(bool holds, base::Complaint complaint) {
  if (!holds) throw base::InvalidArgument(std::move(complaint));
}

}  // namespace

SplitNoise split_noise(const AdaptiveClipping& options, double noise_multiplier, double expected_batch_size) {
  require(options.quantile >= 0 && options.quantile <= 1,
          {"adaptive quantile", "must lie in [0, 1]", fmt::to_string(options.quantile), "pass e.g. 0.5, the median"});
  require(options.rate > 0 && std::isfinite(options.rate),
          {"adaptive rate", "must be a positive number", fmt::to_string(options.rate), "pass e.g. 0.2"});
  const double count = options.count_noise.value_or(std::max(noise_multiplier, expected_batch_size / 20));
  if (noise_multiplier == 0) return {0, 0};
  require(std::isfinite(count) && 2 * count > noise_multiplier,
          {"adaptive count noise", "must be more than half of the noise multiplier", fmt::to_string(count),
           fmt::format("pass more than {}, or leave it out", noise_multiplier / 2)});
  return {1 / std::sqrt(1 / (noise_multiplier * noise_multiplier) - 1 / (4 * count * count)), count};
}

AdaptiveThreshold::AdaptiveThreshold(const Plan& plan)
    : plan_(plan), noise_(split_noise(plan.options, plan.noise_multiplier, plan.expected_batch_size)), threshold_(plan.threshold) {}

void AdaptiveThreshold::count(const at::Tensor& norms, const at::Tensor& mask) {
  at::Tensor counted = norms.isfinite();
  if (mask.defined()) counted = counted.logical_and(mask.to(norms.device()));
  const auto all = counted.sum().item<int64_t>();
  const auto below = counted.logical_and(norms <= threshold_).sum().item<int64_t>();
  halves_ += 2 * below - all;
}

void AdaptiveThreshold::release(const random::Key& key, uint64_t step) {
  double sum = static_cast<double>(halves_) / 2;
  if (noise_.count > 0) {
    const double deviation = noise_.count * 2 * kUnitsPerHalf;
    const auto units = noise::gaussian({1}, deviation, key, {random::Purpose::noise, step, kCountTensor, 0}).item<int64_t>();
    sum = static_cast<double>(halves_ * static_cast<int64_t>(kUnitsPerHalf) + units) / (2 * kUnitsPerHalf);
  }
  halves_ = 0;
  const double fraction = sum / plan_.expected_batch_size + 0.5;
  threshold_ = std::clamp(threshold_ * std::exp(-plan_.options.rate * (fraction - plan_.options.quantile)), kLeast, kMost);
}

}  // namespace ghostgrad::engine
