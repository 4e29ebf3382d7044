// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/checks.h"

#include <cmath>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::privacy {
namespace {

using base::InvalidArgument;

[[noreturn]] void throw_overflow(std::int64_t a, char operation, std::int64_t b) {
  throw InvalidArgument("count", "the number of releases must stay below 2^63", fmt::format("{} {} {}", a, operation, b),
                        "check the counts");
}

}  // namespace

double checked_noise_multiplier(double sigma) {
  if (std::isfinite(sigma) && sigma >= 0) return sigma;
  throw InvalidArgument("noise_multiplier", "must be a finite number >= 0", fmt::to_string(sigma),
                        "pass the noise's standard deviation divided by the threshold C (0 means no privacy)");
}

double checked_sample_rate(double q) {
  if (q > 0 && q <= 1) return q;
  throw InvalidArgument("sample_rate", "must lie in (0, 1]", fmt::to_string(q), "pass expected batch size / data set size");
}

double checked_delta(double delta) {
  if (delta > 0 && delta < 1) return delta;
  throw InvalidArgument("delta", "must lie in (0, 1)", fmt::to_string(delta), "pass a value well below 1 / data set size, such as 1e-5");
}

double checked_epsilon(double epsilon) {
  if (epsilon >= 0) return epsilon;
  throw InvalidArgument("epsilon", "must be a number >= 0", fmt::to_string(epsilon), "pass a privacy budget such as 3");
}

std::int64_t checked_count(std::int64_t count) {
  if (count >= 0) return count;
  throw InvalidArgument("count", "must be >= 0", fmt::to_string(count), "pass the number of releases");
}

std::int64_t checked_size(std::int64_t size, const char* name) {
  if (size >= 1 && size <= std::int64_t{1} << 53) return size;
  throw InvalidArgument(name, "must lie between 1 and 2^53", fmt::to_string(size), "pass a number of examples");
}

std::int64_t checked_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) throw_overflow(a, '+', b);
  return sum;
}

std::int64_t checked_product(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) throw_overflow(a, '*', b);
  return product;
}

}  // namespace ghostgrad::privacy
