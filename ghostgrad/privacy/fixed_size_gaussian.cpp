// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/fixed_size_gaussian.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "ghostgrad/base/maths.h"

namespace ghostgrad::privacy {
namespace {

/// ln E[(e^L - 1)^l] for even l: the trapezoidal rule on terms that are all positive, exact for such bells to 1e-20.
double log_even_moment(int l, double sigma) {
  constexpr double step = 0.2;
  base::LogSum sum;
  for (double t = -12; t < l / sigma + 12; t += step) {
    const double loss = t / sigma - 1 / (2 * sigma * sigma);
    const double size = loss > 0 ? base::log_expm1(loss) : std::log(-std::expm1(loss));
    sum.add(l * size - t * t / 2);
  }
  return sum.value() + std::log(step / std::sqrt(2 * std::numbers::pi));
}

class Bound {
 public:
  Bound(double sigma, double rate) : sigma_(sigma), log_rate_(std::log(rate)) {}

  /// (a - 1) rdp(a) for an integer order.
  double at(int order) {
    if (order == 1) return 0;
    const auto known = values_.find(order);
    if (known != values_.end()) return known->second;
    base::LogSum sum;
    sum.add(0);
    double log_binomial = std::log(order);
    for (int j = 2; j <= order; ++j) {
      log_binomial += std::log(static_cast<double>(order - j + 1) / j);
      sum.add(log_binomial + j * log_rate_ + log_factor(j));
    }
    return values_[order] = sum.value();
  }

 private:
  double log_factor(int j) {
    const double plain = std::numbers::ln2 + j * (j - 1) / (2 * sigma_ * sigma_);
    // With much noise the moments of e^L - 1 are far smaller; with little noise or large orders they never are.
    if (j > 64 || sigma_ < 0.5) return plain;
    return std::min(plain, 2 * std::numbers::ln2 + (moment(j - j % 2) + moment(j + j % 2)) / 2);
  }

  double moment(int l) {
    const auto known = moments_.find(l);
    if (known != moments_.end()) return known->second;
    return moments_[l] = log_even_moment(l, sigma_);
  }

  double sigma_;
  double log_rate_;
  std::map<int, double> moments_{};
  std::map<int, double> values_{};
};

}  // namespace

std::vector<double> fixed_size_gaussian_rdp(const std::vector<double>& orders, double sigma, double rate) {
  Bound bound(sigma, rate);
  std::vector<double> rdp;
  for (const double order : orders) {
    const double full_batch = order / (2 * sigma * sigma);  // a batch never costs more than everything
    const int below = static_cast<int>(std::floor(order));
    const double part = order - below;
    const double above = part > 0 ? part * bound.at(below + 1) : 0;
    rdp.push_back(std::isfinite(order * full_batch) && rate < 1 ? std::min(full_batch, ((1 - part) * bound.at(below) + above) / (order - 1))
                                                                : full_batch);
  }
  return rdp;
}

}  // namespace ghostgrad::privacy
