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
  /// How many examples were added, and the most positions that one had in any layer (tokens, pixels of a feature map): private numbers.
  [[nodiscard]] int64_t examples() const { return examples_; }
  [[nodiscard]] double positions() const { return positions_; }
  /// Bound on the L2 distance between totals and exact clipped sum, of any sum like this one of at most so many examples with at most so many
  /// positions: float accumulation and lattice rounding. It reads nothing of the batch, so that of public numbers it is public.
  [[nodiscard]] double error_bound(double examples, double positions) const;
  /// Elements of all parameters together.
  [[nodiscard]] int64_t dimension() const;
  /// False for a sum of ordinary gradients (method non_private).
  [[nodiscard]] bool is_clipped() const { return is_clipped_; }

  /// Adds another rank's or another part's totals.
  void merge(const ClippedSum& other);

 private:
  friend class Clipper;
  ClippedSum(std::vector<at::Tensor> zeros, std::optional<noise::Lattice> lattice, double threshold, bool is_clipped, double unit);
  void add(size_t parameter, const at::Tensor& sum);
  void finish_physical_batch(int64_t examples, double positions);

  std::vector<at::Tensor> totals_;
  std::optional<noise::Lattice> lattice_;
  double threshold_;
  bool is_clipped_;
  double unit_;  // half the distance from 1 to the next number, of the floats that are added up
  int64_t examples_ = 0;
  double positions_ = 1;
};

}  // namespace ghostgrad::clip
