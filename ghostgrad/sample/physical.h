// SPDX-License-Identifier: Apache-2.0
// A logical batch as physical batches of one fixed size, the last one filled up and masked: shapes never depend on the draw
// [Rodriguez Beltran et al. 2024, Sec. 4].
//
//     for (const PhysicalBatch& batch : physical_batches(logical, data)) engine.backward(losses(batch.inputs, batch.targets), batch.mask);
//
// Guarantee: filling rows are zeros, not examples; the mask is false there. An empty logical batch has no physical batches.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/data/dataset.h"
#include "ghostgrad/sample/poisson.h"

namespace ghostgrad::sample {

struct PhysicalBatch {
  at::Tensor inputs;   // [P, ...]
  at::Tensor targets;  // [P]
  at::Tensor mask;     // bool [P], true for each example that counts
};

[[nodiscard]] std::vector<PhysicalBatch> physical_batches(const LogicalBatch& logical, const data::Dataset& data);

/// Rows `examples` of a tensor, followed by zero rows up to `size`.
[[nodiscard]] at::Tensor filled_rows(const at::Tensor& tensor, const at::Tensor& examples, int64_t size);

}  // namespace ghostgrad::sample
