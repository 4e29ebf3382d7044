// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/sample/physical.h"

#include <algorithm>

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace ghostgrad::sample {

at::Tensor filled_rows(const at::Tensor& tensor, const at::Tensor& examples, int64_t size) {
  std::vector<int64_t> sizes = tensor.sizes().vec();
  sizes[0] = size;
  at::Tensor rows = at::zeros(sizes, tensor.options());
  if (examples.numel() > 0) rows.narrow(0, 0, examples.numel()).copy_(tensor.index_select(0, examples));
  return rows;
}

std::vector<PhysicalBatch> physical_batches(const LogicalBatch& logical, const data::Dataset& data) {
  const int64_t size = logical.physical_batch_size, total = static_cast<int64_t>(logical.examples.size());
  const at::Tensor examples = at::tensor(logical.examples, at::kLong);
  std::vector<PhysicalBatch> batches;
  for (int64_t start = 0; start < total; start += size) {
    const int64_t count = std::min(size, total - start);
    const at::Tensor rows = examples.narrow(0, start, count);
    batches.push_back({filled_rows(data.inputs, rows, size), filled_rows(data.targets, rows, size), at::arange(size, at::kLong).lt(count)});
  }
  return batches;
}

}  // namespace ghostgrad::sample
