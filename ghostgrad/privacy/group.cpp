// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/group.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/base/maths.h"
#include "ghostgrad/privacy/monotone_search.h"

namespace ghostgrad::privacy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

void check(const Group& group) {
  if (group.size >= 1) return;
  throw base::InvalidArgument("group", "must hold at least 1 example", fmt::to_string(group.size), "pass the size of the group");
}

/// ln(1 + e^epsilon + ... + e^((k-1) epsilon)), epsilon > 0
double log_chain(double epsilon, std::int64_t k) { return base::log_expm1(static_cast<double>(k) * epsilon) - base::log_expm1(epsilon); }

double chained(const Accountant& accountant, const Group& group) {
  const double alone = accountant.epsilon(group.delta).value;
  if (group.size == 1 || alone == 0 || !std::isfinite(alone)) return static_cast<double>(group.size) * alone;
  const Axis axis{.least = 1e-9, .most = 1e6, .start = std::clamp(alone, 1e-9, 1e6), .good_when_large = true};
  const auto group_delta = [&](double epsilon) {
    const double delta = accountant.delta(epsilon).value;
    return Bound{delta == 0 ? 0 : std::exp(std::log(delta) + log_chain(epsilon, group.size))};
  };
  const auto found = find_boundary(axis, group.delta, group_delta);
  return found.good ? static_cast<double>(group.size) * found.good->at : infinity;
}

/// The event for a group of the examples; nothing where it is not known.
struct Together {
  double k;

  std::optional<Event> operator()(const NonPrivate&) const { return non_private(); }
  std::optional<Event> operator()(const Gaussian& node) const { return gaussian(node.noise_multiplier / k); }
  std::optional<Event> operator()(const PoissonSampled& node) const {
    if (!std::holds_alternative<Gaussian>(node.event->node())) return {};
    const double any = -std::expm1(k * std::log1p(-node.sample_rate));
    return poisson_sampled(std::min(1.0, any), std::visit(*this, node.event->node()).value());
  }
  std::optional<Event> operator()(const Repeated& node) const {
    auto event = std::visit(*this, node.event->node());
    if (!event) return {};
    return repeated(std::move(*event), node.count);
  }
  std::optional<Event> operator()(const Composed& node) const {
    std::vector<Event> events;
    for (const auto& each : node.events) {
      auto event = std::visit(*this, each.node());
      if (!event) return {};
      events.push_back(std::move(*event));
    }
    return composed(std::move(events));
  }
  template <class Other>
  std::optional<Event> operator()(const Other&) const {
    return {};
  }
};

}  // namespace

std::optional<Event> together(const Event& event, std::int64_t group_size) {
  return std::visit(Together{static_cast<double>(group_size)}, event.node());
}

std::vector<GroupBound> group_bounds(const Event& event, const Group& group, const AccountantFactory& make) {
  check(group);
  const auto alone = make();
  alone->compose(event);
  std::vector<GroupBound> bounds = {{chained(*alone, group), "chained"}};
  const auto whole = alone->adjacency() == Adjacency::replace_one ? std::nullopt : together(event, group.size);
  if (const auto accountant = make(); whole && accountant->supports(*whole)) {
    accountant->compose(*whole);
    bounds.push_back({accountant->epsilon(group.delta).value, "together"});
  }
  std::ranges::stable_sort(bounds, {}, &GroupBound::epsilon);
  return bounds;
}

}  // namespace ghostgrad::privacy
