// SPDX-License-Identifier: Apache-2.0
// Random models for property tests: blocks in random order over [B, T, 6] activations in random layouts, with random losses of random
// sizes.
#pragma once

#include "subjects.h"
#include <cstdint>

namespace ghostgrad::tests {

/// The same seed gives the same model, batch and losses.
[[nodiscard]] Subject random_model(uint64_t seed, int64_t examples);

}  // namespace ghostgrad::tests
