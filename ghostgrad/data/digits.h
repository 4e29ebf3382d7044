// SPDX-License-Identifier: Apache-2.0
// Drawn digits: a data set that needs no download, for demos and tests.
//
// Each class is a few pen strokes (glyphs.h). An example jitters their control points, bends them into smooth curves,
// distorts the whole by a random affine map, draws it with a random pen width and contrast and adds pixel noise and a stray mark.
// Same size and scaling idea as MNIST: [N, 1, 28, 28], (pixel / 255 - 0.13) / 0.26 with constants of this page.
//
//     auto split = data::digits();                              // 4,000 to train, 1,000 to test, 0.1 s
//     auto small = data::digits({.train = 200, .test = 50});
//
// The randomness is a data set's, not a mechanism's: std::mt19937_64 from a public seed, so that everyone draws the same
// digits. Nothing private ever depends on it.
#pragma once

#include <cstdint>

#include "ghostgrad/data/dataset.h"

namespace ghostgrad::data {

struct DigitsOptions {
  int64_t train = 4000;
  int64_t test = 1000;
  uint64_t seed = 1;  // public
};

/// Training and test examples come from separate streams: asking for more of one leaves the other unchanged.
[[nodiscard]] Split digits(const DigitsOptions& options = {});

}  // namespace ghostgrad::data
