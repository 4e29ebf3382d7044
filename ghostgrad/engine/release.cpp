// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/release.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/noise/gaussian.h"
#include "ghostgrad/rules/rounding.h"

namespace ghostgrad::engine {
namespace {

constexpr double kLeastSlack = 1.0 / 4096;  // for the rounding of sums

/// Poisson sampling draws more with a probability below 1e-20: P(K >= L + t) <= exp(-t^2 / (2 L + 2 t / 3)) [Chernoff's bound].
double most_examples(double expected) { return expected + 10 * std::sqrt(expected) + 50; }

}  // namespace

double slack_of(const clip::ClippedSum& sum, double expected_batch_size, double positions) {
  const double of_sums = 2 * sum.error_bound(most_examples(expected_batch_size), positions) / sum.threshold();
  return 2 * rules::kAllowance + std::max(kLeastSlack, of_sums);
}

void check_covered(const clip::ClippedSum& sum, const ReleaseOptions& options) {
  const double most = most_examples(options.expected_batch_size);
  if (static_cast<double>(sum.examples()) > most) {
    throw base::PrivacyError(
        "expected_batch_size",
        fmt::format("allows no logical batch of more than {:.0f} examples when it is {}", most, options.expected_batch_size), "",
        "pass the mean size of logical batches, q N; the noise is made for that");
  }
  const auto slack = [&](double positions) { return slack_of(sum, options.expected_batch_size, positions); };
  if (slack(sum.positions()) > slack(options.positions)) {
    throw base::PrivacyError("positions", fmt::format("must be at least those of every example, but are {:.0f}", options.positions), "",
                             "pass the most tokens or pixels that a layer sees of one example");
  }
}

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
  check_covered(sum, options);
  noisy.slack_ = slack_of(sum, options.expected_batch_size, options.positions);
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
