// SPDX-License-Identifier: Apache-2.0
// Sums of numbers that are only known by their logarithms, without overflow and without losing small terms.
//
//     log_add(a, b)    = ln(e^a + e^b)
//     log_expm1(x)     = ln(e^x - 1), x > 0
//     log1p_exp(x)     = ln(1 + e^x)
//     LogSum s;  s.add(a);  s.add(b);  s.value();     // ln of the sum of e^a, e^b, ...
//
// Guarantee: within 1e-15 of the exact value, relative to it where it exceeds 1 (log1p_exp: always relative); -infinity stands
// for ln 0, infinity is kept, NaN stays NaN.
#pragma once

namespace ghostgrad::base {

[[nodiscard]] double log_add(double a, double b);
[[nodiscard]] double log_expm1(double x);
[[nodiscard]] double log1p_exp(double x);

/// ln of a running sum of exponentials; -infinity while nothing was added.
class LogSum {
 public:
  LogSum();
  void add(double log_term);
  [[nodiscard]] double value() const;

 private:
  double largest_;     // the largest term so far
  double scaled_ = 0;  // the sum, divided by e^largest
};

}  // namespace ghostgrad::base
