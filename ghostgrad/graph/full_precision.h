// SPDX-License-Identifier: Apache-2.0
// While one lives, products of float32 are products of float32, whatever the user allows the model: TF32 and bfloat16 round their factors to
// 11 and 8 bits. A norm and a clipped sum are formed in different orders from the same gradients, so that such rounding could make the sum
// longer than its norm said.
//
//     const graph::FullPrecision full;                // norms and sums; the model's own forward and backward keep their precision
//
// The settings are the process's: other threads compute with full precision, too, until the last one is gone. Each setting then comes
// to what it was before; one that is implicit in libtorch (TF32 for convolutions on CUDA) is explicit from then on.
#pragma once

namespace ghostgrad::graph {

class FullPrecision {
 public:
  FullPrecision();
  ~FullPrecision();
  FullPrecision(const FullPrecision&) = delete;
  FullPrecision& operator=(const FullPrecision&) = delete;
};

}  // namespace ghostgrad::graph
