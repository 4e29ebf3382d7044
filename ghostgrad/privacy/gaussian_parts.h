// SPDX-License-Identifier: Apache-2.0
// Which of the mechanisms that accountants know is this event? Every accountant reads events through these.
//
//     if (const auto mechanism = as_sampled_gaussian(event)) use(mechanism->sigma, mechanism->sample_rate);
#pragma once

#include <compare>
#include <optional>

#include "ghostgrad/privacy/adjacency.h"
#include "ghostgrad/privacy/events.h"

namespace ghostgrad::privacy {

/// The Poisson-subsampled Gaussian; a plain Gaussian has sample rate 1.
struct SampledGaussian {
  double sigma;
  double sample_rate;
  [[nodiscard]] friend auto operator<=>(const SampledGaussian&, const SampledGaussian&) = default;
};

[[nodiscard]] std::optional<SampledGaussian> as_sampled_gaussian(const Event& event);

/// The noise multiplier of a Gaussian on the whole data set, also when it is written as sampled with rate 1.
[[nodiscard]] std::optional<double> as_plain_gaussian(const Event& event);

/// A Gaussian on a batch drawn without replacement, at a sample rate of batch size / data set size.
[[nodiscard]] std::optional<SampledGaussian> as_fixed_size_gaussian(const Event& event);

/// A Gaussian on a Poisson batch that is cut to `largest_batch`.
struct TruncatedGaussian {
  double sigma;
  TruncatedPoissonSampled sampling;
};
[[nodiscard]] std::optional<TruncatedGaussian> as_truncated_gaussian(const Event& event);

/// How far two neighbours' sums lie apart at most, in units of the threshold C: replacing an example moves its part from one end to the
/// other.
[[nodiscard]] double sensitivity(Adjacency adjacency);

}  // namespace ghostgrad::privacy
