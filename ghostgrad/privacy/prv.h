// SPDX-License-Identifier: Apache-2.0
// The accountant by privacy loss random variables [GLW21]: losses rounded at random to the points of a grid next to them and shifted so
// that their mean is right. That is an estimate between the bounds of the pld accountant, with error bars from Hoeffding's inequality: n
// errors of mean 0 and width `interval` add up to more than eps_error with probability at most exp(-2 eps_error^2 / (n interval^2)), so
//
//     delta_estimate(epsilon + eps_error) - delta_error  <=  delta(epsilon)  <=  delta_estimate(epsilon - eps_error) + delta_error
//
// Each Bound holds the upper end (value), the lower end and the estimate. The error bars, of order interval * sqrt(n), are much wider
// than the estimate's own error, of order interval^2 * n.
//
//     PrvAccountant accountant;
//     accountant.compose(poisson_sampled(0.01, gaussian(1.0)), 1000);
//     accountant.epsilon(1e-5).estimate;           // 1.82824
#pragma once

#include <optional>

#include "ghostgrad/privacy/pld_run.h"

namespace ghostgrad::privacy {

struct PrvOptions {
  double eps_error = 0.01;    // aimed at, as far as a window of 2^20 points allows; each Bound shows what it is
  double delta_error = 1e-3;  // in units of delta
};

class PrvAccountant : public LossAccountant {
 public:
  explicit PrvAccountant(Adjacency adjacency = Adjacency::add_remove, const PrvOptions& options = {});

  [[nodiscard]] std::string_view name() const override { return "prv"; }

 private:
  [[nodiscard]] Bound epsilon_of_all(double delta) const override;
  [[nodiscard]] Bound epsilon_on_grid(double delta) const;
  [[nodiscard]] Bound delta_on_grid(double epsilon) const;
  [[nodiscard]] Bound delta_of_all(double epsilon) const override;
  [[nodiscard]] std::optional<double> delta_beside(LossCurve& curve, double epsilon, double sign, double probability) const;

  PrvOptions options_;
};

}  // namespace ghostgrad::privacy
