// SPDX-License-Identifier: Apache-2.0
// The clipped sum of one logical batch, exact across physical batches and ranks.
//
//     sum_i c_i G_i,  |c_i G_i| <= C          one total per parameter
//
// With noise, totals are integers on the public lattice of the noise (noise/lattice.h): each physical batch's float sum is rounded to it
// once, and integers add up in any order to the same bits. Without noise (noise multiplier 0) there is no lattice: totals are float64.
//
// Guarantee: only the clipper makes and fills one, only release() reads one out; nothing in between can rescale it.
#pragma once

#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/noise/lattice.h"

namespace ghostgrad::clip {

class ClippedSum {
 public:
  /// One entry per tracked parameter: int64 lattice units, or float64 values when there is no lattice.
  [[nodiscard]] const std::vector<at::Tensor>& totals() const { return totals_; }
  [[nodiscard]] const std::optional<noise::Lattice>& lattice() const { return lattice_; }
  /// C: how far one example moves the exact sum at most (L2). The noise reads this very value.
  [[nodiscard]] double threshold() const { return threshold_; }
  /// Bound on the L2 distance between the totals and the exact clipped sum: float accumulation and lattice rounding.
  [[nodiscard]] double error_bound() const { return error_bound_; }
  [[nodiscard]] int64_t physical_batches() const { return physical_batches_; }
  /// Elements of all parameters together.
  [[nodiscard]] int64_t dimension() const;
  /// False for a sum of ordinary gradients (method non_private).
  [[nodiscard]] bool is_clipped() const { return is_clipped_; }

  /// Adds another rank's or another part's totals.
  void merge(const ClippedSum& other);

 private:
  friend class Clipper;
  ClippedSum(std::vector<at::Tensor> zeros, std::optional<noise::Lattice> lattice, double threshold, bool is_clipped);
  void add(size_t parameter, const at::Tensor& sum);
  void finish_physical_batch(double accumulation_error);

  std::vector<at::Tensor> totals_;
  std::optional<noise::Lattice> lattice_;
  double threshold_;
  bool is_clipped_;
  double error_bound_ = 0;
  int64_t physical_batches_ = 0;
};

}  // namespace ghostgrad::clip
