// SPDX-License-Identifier: Apache-2.0
// Packed sequences: those that take part in step t lie in rows offset_t .. offset_t + batch_sizes[t] - 1, longest first.
#pragma once

#include <vector>

#include "ghostgrad/graph/attributes.h"

namespace ghostgrad::graph {

/// The sequence that each row of a packed batch belongs to.
[[nodiscard]] inline std::vector<int64_t> sequence_of_rows(const Ints& batch_sizes) {
  std::vector<int64_t> sequences;
  for (int64_t size : batch_sizes) {
    for (int64_t sequence = 0; sequence < size; ++sequence) sequences.push_back(sequence);
  }
  return sequences;
}

}  // namespace ghostgrad::graph
