// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/base/maths.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ghostgrad::base {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

double log_add(double a, double b) {
  const double high = std::max(a, b);
  const double low = std::min(a, b);
  if (std::isinf(high)) return high;  // two infinities of one sign: their difference would be NaN
  return high + std::log1p(std::exp(low - high));
}

double log_expm1(double x) {
  // e^x - 1 for small x, e^x (1 - e^-x) for large x, where e^x may overflow.
  return x < std::numbers::ln2 ? std::log(std::expm1(x)) : x + std::log1p(-std::exp(-x));
}

double log1p_exp(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

LogSum::LogSum() : largest_(-infinity) {}

void LogSum::add(double log_term) {
  if (log_term == -infinity) return;
  if (log_term <= largest_) {
    if (largest_ != infinity) scaled_ += std::exp(log_term - largest_);
    return;
  }
  // The first term, a new largest one, or NaN.
  scaled_ = log_term == infinity ? 1 : scaled_ * std::exp(largest_ - log_term) + 1;
  largest_ = log_term;
}

double LogSum::value() const { return largest_ == -infinity ? -infinity : largest_ + std::log(scaled_); }

}  // namespace ghostgrad::base
