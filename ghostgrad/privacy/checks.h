// SPDX-License-Identifier: Apache-2.0
// The ranges of the public numbers of differential privacy, each checked in one place. Every function returns its value, or throws
// base::InvalidArgument that names the number, its range, what came and what to pass.
#pragma once

#include <cstdint>

namespace ghostgrad::privacy {

double checked_noise_multiplier(double sigma);                   // finite, >= 0
double checked_sample_rate(double q);                            // (0, 1]
double checked_delta(double delta);                              // (0, 1)
double checked_epsilon(double epsilon);                          // >= 0, may be infinite
std::int64_t checked_count(std::int64_t count);                  // >= 0
std::int64_t checked_size(std::int64_t size, const char* name);  // 1 to 2^53, where doubles still count

/// a + b and a * b of counts; throws when the result leaves the range of 63 bits.
std::int64_t checked_sum(std::int64_t a, std::int64_t b);
std::int64_t checked_product(std::int64_t a, std::int64_t b);

}  // namespace ghostgrad::privacy
