// SPDX-License-Identifier: Apache-2.0
// The exact accountant of Gaussians on the whole data set [BW18]: any number of them, with any noise, is one Gaussian again.
//
//     mu^2 = sensitivity^2 * sum 1 / sigma^2,    delta(epsilon) as in privacy/gaussian_curve.h
//
// Supports plain Gaussians (and sample rate 1) under every adjacency; refuses sampling.
//
//     AnalyticAccountant accountant;
//     accountant.compose(gaussian(2.0), 3);
//     accountant.epsilon(1e-6).value;
#pragma once

#include "ghostgrad/privacy/accountant.h"

namespace ghostgrad::privacy {

class AnalyticAccountant : public Accountant {
 public:
  explicit AnalyticAccountant(Adjacency adjacency = Adjacency::add_remove) : Accountant(adjacency) {}

  [[nodiscard]] std::string_view name() const override { return "analytic"; }

  /// The one Gaussian that everything composed is equal to: N(0, 1) against N(mu, 1).
  [[nodiscard]] double mu() const;

 private:
  [[nodiscard]] bool supports_part(const Event& event) const override;
  void add(const Part& part) override;
  [[nodiscard]] Bound epsilon_of_all(double delta) const override;
  [[nodiscard]] Bound delta_of_all(double epsilon) const override;

  double mu_ = 0;  // of sensitivity 1
};

}  // namespace ghostgrad::privacy
