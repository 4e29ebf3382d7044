// SPDX-License-Identifier: Apache-2.0
// Counts the bytes that tensors hold: peak memory as a number that does not depend on the operating system's mood.
//
//     const PeakBytes peak;          // from here on
//     step();
//     peak.bytes();                  // most bytes that were held at once above what was held at the start
//
// Wraps libtorch's CPU allocator for the rest of the process when first used; allocation itself is unchanged. CPU tensors only.
#pragma once

#include <cstdint>

namespace ghostgrad::measure {

class PeakBytes {
 public:
  PeakBytes();
  [[nodiscard]] int64_t bytes() const;

 private:
  int64_t start_;
};

}  // namespace ghostgrad::measure
