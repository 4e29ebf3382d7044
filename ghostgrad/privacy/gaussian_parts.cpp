// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/gaussian_parts.h"

namespace ghostgrad::privacy {

std::optional<SampledGaussian> as_sampled_gaussian(const Event& event) {
  if (const auto* plain = std::get_if<Gaussian>(&event.node())) return SampledGaussian{plain->noise_multiplier, 1};
  const auto* sampled = std::get_if<PoissonSampled>(&event.node());
  if (sampled == nullptr) return {};
  const auto* inner = std::get_if<Gaussian>(&sampled->event->node());
  if (inner == nullptr) return {};
  return SampledGaussian{inner->noise_multiplier, sampled->sample_rate};
}

std::optional<double> as_plain_gaussian(const Event& event) {
  const auto mechanism = as_sampled_gaussian(event);
  if (!mechanism || mechanism->sample_rate != 1) return {};
  return mechanism->sigma;
}

std::optional<SampledGaussian> as_fixed_size_gaussian(const Event& event) {
  const auto* sampled = std::get_if<FixedSizeSampled>(&event.node());
  const auto* inner = sampled ? std::get_if<Gaussian>(&sampled->event->node()) : nullptr;
  if (inner == nullptr) return {};
  return SampledGaussian{inner->noise_multiplier, static_cast<double>(sampled->batch_size) / static_cast<double>(sampled->data_set_size)};
}

std::optional<TruncatedGaussian> as_truncated_gaussian(const Event& event) {
  const auto* sampled = std::get_if<TruncatedPoissonSampled>(&event.node());
  const auto* inner = sampled ? std::get_if<Gaussian>(&sampled->event->node()) : nullptr;
  if (inner == nullptr) return {};
  return TruncatedGaussian{inner->noise_multiplier, *sampled};
}

double sensitivity(Adjacency adjacency) { return adjacency == Adjacency::replace_one ? 2 : 1; }

}  // namespace ghostgrad::privacy
