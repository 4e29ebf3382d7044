// SPDX-License-Identifier: Apache-2.0
// The central limit approximation of Gaussian differential privacy [BDLS20, Theorem 5]: many sampled Gaussians look like one.
//
//     mu^2 = sum over releases of  q^2 (e^(1/sigma^2) - 1),    or 1 / sigma^2 where q = 1 (exact there)
//
// NOT A GUARANTEE. It is the limit for many steps with q sqrt(steps) held fixed, and it tends to say too little: 6.60 instead of 6.77
// for sigma 1.5, q 0.04, 2250 steps, delta 1e-5. Every Bound says is_approximation and carries a warning; nothing in this library
// takes it for a promise.
//
// Supports the Gaussian and the Poisson-subsampled Gaussian, for add/remove and zero-out adjacency.
//
//     GdpAccountant accountant;
//     accountant.compose(poisson_sampled(0.01, gaussian(1.0)), 1000);
//     accountant.epsilon(1e-5).estimate;       // 1.6177
#pragma once

#include "ghostgrad/privacy/accountant.h"

namespace ghostgrad::privacy {

class GdpAccountant : public Accountant {
 public:
  explicit GdpAccountant(Adjacency adjacency = Adjacency::add_remove);

  [[nodiscard]] std::string_view name() const override { return "gdp"; }
  [[nodiscard]] double mu() const { return mu_; }

 private:
  [[nodiscard]] bool supports_part(const Event& event) const override;
  void add(const Part& part) override;
  [[nodiscard]] Bound epsilon_of_all(double delta) const override;
  [[nodiscard]] Bound delta_of_all(double epsilon) const override;

  double mu_ = 0;
};

}  // namespace ghostgrad::privacy
