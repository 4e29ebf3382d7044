// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/rdp.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "ghostgrad/privacy/fixed_size_gaussian.h"
#include "ghostgrad/privacy/gaussian_parts.h"
#include "ghostgrad/privacy/sampled_gaussian.h"

namespace ghostgrad::privacy {
namespace {

std::vector<double> make_orders() {
  std::vector<double> orders;
  for (int tenths = 11; tenths <= 109; ++tenths) orders.push_back(tenths / 10.0);
  for (int order = 11; order <= 63; ++order) orders.push_back(order);
  for (int order = 128; order <= 1024; order *= 2) orders.push_back(order);
  return orders;
}

/// What the accountant needs to know about a release: which divergence, of which numbers.
struct Mechanism {
  bool fixed_size;
  SampledGaussian numbers;  // sigma for a sensitivity of 1
};

std::optional<Mechanism> mechanism_of(const Event& event, Adjacency adjacency) {
  const bool replaced = adjacency == Adjacency::replace_one;
  if (const auto sigma = as_plain_gaussian(event)) return Mechanism{false, {*sigma / sensitivity(adjacency), 1}};
  const auto found = replaced ? as_fixed_size_gaussian(event) : as_sampled_gaussian(event);
  if (!found) return {};
  return Mechanism{replaced, {found->sigma / sensitivity(adjacency), found->sample_rate}};
}

std::vector<double> curve_of(const Mechanism& mechanism) {
  const auto [sigma, rate] = mechanism.numbers;
  if (mechanism.fixed_size) return fixed_size_gaussian_rdp(rdp_orders(), sigma, rate);
  std::vector<double> rdp;
  for (const double order : rdp_orders()) rdp.push_back(sampled_gaussian_rdp(order, sigma, rate));
  return rdp;
}

/// The order with the smallest value of `value_at(order, rdp)`.
template <class Value>
BestOrder best(std::span<const double> rdp, Value value_at) {
  const auto& orders = rdp_orders();
  BestOrder found{std::numeric_limits<double>::infinity(), orders.front(), true};
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const double value = value_at(orders[i], rdp[i]);
    if (value < found.value) found = {value, orders[i], i == 0 || i + 1 == orders.size()};
  }
  return found;
}

Bound with_warnings(const BestOrder& found) {
  Bound bound{.value = found.value};
  if (found.at_edge && found.value > 0) {
    bound.warnings.push_back(
        fmt::format("rdp: the best order, {}, is at the edge of the orders tried: a tighter accountant may say less", found.order));
  }
  return bound;
}

}  // namespace

const std::vector<double>& rdp_orders() {
  static const auto orders = make_orders();
  return orders;
}

BestOrder epsilon_of_curve(std::span<const double> rdp, double delta) {
  auto found = best(rdp, [log_delta = std::log(delta)](double order, double divergence) {
    return divergence + std::log1p(-1 / order) - (log_delta + std::log(order)) / (order - 1);
  });
  found.value = std::max(found.value, 0.0);
  return found;
}

BestOrder delta_of_curve(std::span<const double> rdp, double epsilon) {
  auto found = best(rdp, [epsilon](double order, double divergence) {
    return (order - 1) * (divergence - epsilon + std::log1p(-1 / order)) - std::log(order);
  });
  found.value = std::min(std::exp(found.value), 1.0);
  return found;
}

bool RdpAccountant::supports_part(const Event& event) const { return mechanism_of(event, adjacency()).has_value(); }

void RdpAccountant::add(const Part& part) {
  const auto mechanism = mechanism_of(part.event, adjacency()).value();
  auto& entry = entries_[{mechanism.fixed_size, mechanism.numbers.sigma, mechanism.numbers.sample_rate}];
  if (entry.rdp.empty()) entry.rdp = curve_of(mechanism);
  entry.count += part.count;
}

std::vector<double> RdpAccountant::curve() const {
  std::vector<double> total(rdp_orders().size(), 0.0);
  for (const auto& [mechanism, entry] : entries_) {
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += static_cast<double>(entry.count) * entry.rdp[i];
  }
  return total;
}

Bound RdpAccountant::epsilon_of_all(double delta) const { return with_warnings(epsilon_of_curve(curve(), delta)); }
Bound RdpAccountant::delta_of_all(double epsilon) const { return with_warnings(delta_of_curve(curve(), epsilon)); }

}  // namespace ghostgrad::privacy
