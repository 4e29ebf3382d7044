// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_run.h"

#include <algorithm>
#include <utility>

#include <boost/math/distributions/binomial.hpp>

#include "ghostgrad/privacy/gaussian_parts.h"
#include "ghostgrad/privacy/rdp.h"

namespace ghostgrad::privacy {
namespace {

/// What rdp says about everything composed; nothing under adjacencies or events that it does not serve.
template <class Ask>
std::optional<Bound> ask_rdp(const AnalyticAccountant& gaussians, const std::vector<Part>& sampled, const Ask& ask) {
  if (gaussians.adjacency() == Adjacency::replace_one) return {};
  RdpAccountant rdp(gaussians.adjacency());
  for (const auto& part : sampled) {
    if (!rdp.supports(part.event)) return {};
    rdp.compose(part.event, part.count);
  }
  if (gaussians.mu() > 0) rdp.compose(gaussian(1 / gaussians.mu()));
  return ask(rdp);
}

/// Cutting a batch that is too large makes the others' places depend on whether the example was drawn, so that its presence may push
/// another example out: the sums then differ by up to 2 C in place of C [Ganesh25]. Whether the others alone fill the batch does not
/// depend on the example: a public coin.
ReleaseLoss truncated_loss(const TruncatedGaussian& mechanism) {
  const auto& [examples, rate, cap, event] = mechanism.sampling;
  const LossPair uncut{mechanism.sigma, rate};
  if (cap >= examples) return {{1.0, uncut}};
  const auto more_than = [rate = rate](std::int64_t trials, std::int64_t count) {  // P(Binomial(trials, rate) > count)
    if (rate == 1) return trials > count ? 1.0 : 0.0;
    return boost::math::cdf(boost::math::complement(boost::math::binomial(static_cast<double>(trials), rate), static_cast<double>(count)));
  };
  const double others_fill_it = more_than(examples - 1, cap - 1);
  if (others_fill_it < 1e-250) return {{1.0, uncut}};  // below every delta that is a double's business
  const double drawn = more_than(examples, cap) / others_fill_it * (static_cast<double>(cap) / static_cast<double>(examples));
  return {{1 - others_fill_it, uncut}, {others_fill_it, LossPair{mechanism.sigma / 2, std::min(drawn, 1.0), true}}};
}

}  // namespace

std::optional<ReleaseLoss> release_loss(const Event& event, Adjacency adjacency) {
  if (const auto truncated = as_truncated_gaussian(event)) {
    if (adjacency != Adjacency::zero_out) return {};
    return truncated_loss(*truncated);
  }
  const auto mechanism = as_sampled_gaussian(event);
  if (!mechanism) return {};
  return ReleaseLoss{{1.0, LossPair{mechanism->sigma, mechanism->sample_rate, adjacency == Adjacency::replace_one}}};
}

bool LossAccountant::supports_part(const Event& event) const { return release_loss(event, adjacency()).has_value(); }

void LossAccountant::add(const Part& part) {
  curves_.clear();
  if (as_plain_gaussian(part.event)) return gaussians_.compose(part.event, part.count);
  const auto known = std::ranges::find(sampled_, part.event, &Part::event);
  if (known == sampled_.end()) {
    sampled_.push_back(part);
  } else {
    known->count += part.count;
  }
}

std::vector<LossCurve>& LossAccountant::curves() const {
  if (!curves_.empty()) return curves_;
  std::vector<std::pair<ReleaseLoss, double>> releases;
  for (const auto& [event, count] : sampled_) releases.emplace_back(release_loss(event, adjacency()).value(), static_cast<double>(count));
  const bool replaced = adjacency() == Adjacency::replace_one;
  const double mu = gaussians_.mu() / sensitivity(adjacency());
  if (mu > 0) releases.emplace_back(ReleaseLoss{{1.0, LossPair{1 / mu, 1, replaced}}}, 1.0);
  std::ranges::sort(releases);  // so that the answer does not depend on the order of the events, not even in its last digit
  std::vector<Direction> directions = {Direction::remove};
  if (!replaced) directions.push_back(Direction::add);
  for (const auto direction : directions) {
    curves_.emplace_back(direction, grid_);
    for (const auto& [release, count] : releases) curves_.back().add(release, count);
  }
  return curves_;
}

bool LossAccountant::has_grid() const {
  return std::ranges::all_of(curves(), [](const LossCurve& curve) { return curve.is_feasible(); });
}

std::optional<Bound> LossAccountant::epsilon_by_rdp(double delta) const {
  return ask_rdp(gaussians_, sampled_, [delta](const RdpAccountant& rdp) { return rdp.epsilon(delta); });
}

std::optional<Bound> LossAccountant::delta_by_rdp(double epsilon) const {
  return ask_rdp(gaussians_, sampled_, [epsilon](const RdpAccountant& rdp) { return rdp.delta(epsilon); });
}

}  // namespace ghostgrad::privacy
