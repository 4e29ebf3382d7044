// SPDX-License-Identifier: Apache-2.0
// The accountant by Renyi differential privacy [Mir17]: divergences of a fixed set of orders add up under composition.
//
//     epsilon = min over orders a of  rdp(a) + ln((a-1)/a) - (ln delta + ln a) / (a-1),  at least 0      [BBGHS20], [CKS20]
//
// Orders: 1.1, 1.2, ..., 10.9, 11, 12, ..., 63, 128, 256, 512, 1024. When the best order is the first or the last one, a better bound
// may lie beyond, and the result says so.
//
// Supports the Gaussian under every adjacency, the Poisson-subsampled Gaussian under add/remove and zero-out (the same divergence), and
// the Gaussian on batches of fixed size under replace-one.
//
//     RdpAccountant accountant;
//     accountant.compose(poisson_sampled(0.01, gaussian(1.0)), 1000);
//     accountant.epsilon(1e-5).value;      // 2.1013...
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "ghostgrad/privacy/accountant.h"

namespace ghostgrad::privacy {

[[nodiscard]] const std::vector<double>& rdp_orders();

/// Where the minimum over the orders lies.
struct BestOrder {
  double value;  // the epsilon or the delta
  double order;
  bool at_edge;  // the first or the last order was the best
};

/// Conversions of a curve, one divergence per order of rdp_orders().
[[nodiscard]] BestOrder epsilon_of_curve(std::span<const double> rdp, double delta);
[[nodiscard]] BestOrder delta_of_curve(std::span<const double> rdp, double epsilon);

class RdpAccountant : public Accountant {
 public:
  explicit RdpAccountant(Adjacency adjacency = Adjacency::add_remove) : Accountant(adjacency) {}

  [[nodiscard]] std::string_view name() const override { return "rdp"; }

  /// The divergences of all that was composed, one per order.
  [[nodiscard]] std::vector<double> curve() const;

 private:
  struct Entry {
    std::vector<double> rdp;
    std::int64_t count = 0;
  };

  [[nodiscard]] bool supports_part(const Event& event) const override;
  void add(const Part& part) override;
  [[nodiscard]] Bound epsilon_of_all(double delta) const override;
  [[nodiscard]] Bound delta_of_all(double epsilon) const override;

  // By what they are a curve of: whether of fixed size, noise multiplier, sample rate. Each curve is computed once.
  std::map<std::tuple<bool, double, double>, Entry> entries_;
};

}  // namespace ghostgrad::privacy
