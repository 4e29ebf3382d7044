// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/clipped_sum.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ghostgrad/base/error.h"

namespace ghostgrad::clip {

ClippedSum::ClippedSum(std::vector<at::Tensor> zeros, std::optional<noise::Lattice> lattice, double threshold, bool is_clipped, double unit)
    : totals_(std::move(zeros)), lattice_(std::move(lattice)), threshold_(threshold), is_clipped_(is_clipped), unit_(unit) {}

int64_t ClippedSum::dimension() const {
  int64_t elements = 0;
  for (const at::Tensor& total : totals_) elements += total.numel();
  return elements;
}

void ClippedSum::add(size_t parameter, const at::Tensor& sum) {
  if (lattice_) {
    noise::add_to_lattice(totals_[parameter], sum, *lattice_);
  } else {
    totals_[parameter].add_(sum);
  }
}

/// A sum of n = examples * positions terms rounds n times, each time by at most u times what was added up so far, which grows to
/// examples * C: errors without a common sign make a vector of length u C examples sqrt(n) / 3 [Higham19, Sec. 2]. The lattice rounds each
/// physical batch, of which none is without an example: errors uniform within r / 2, of length r sqrt(examples d / 12). Both count twice.
double ClippedSum::error_bound(double examples, double positions) const {
  const double accumulation = unit_ * threshold_ * examples * std::sqrt(examples * positions) / 3;
  const double rounding = lattice_ ? lattice_->resolution * std::sqrt(examples * static_cast<double>(dimension()) / 12) : 0;
  return 2 * (accumulation + rounding);
}

void ClippedSum::finish_physical_batch(int64_t examples, double positions) {
  examples_ += examples;
  positions_ = std::max(positions_, positions);
}

void ClippedSum::merge(const ClippedSum& other) {
  const bool same = totals_.size() == other.totals_.size() && threshold_ == other.threshold_ && is_clipped_ == other.is_clipped_ &&
                    lattice_.has_value() == other.lattice_.has_value() && (!lattice_ || lattice_->resolution == other.lattice_->resolution);
  if (!same)
    throw base::PrivacyError("clipped sum", "can only be merged with one of the same plan", "another", "use one plan on every rank");
  for (size_t i = 0; i < totals_.size(); ++i) totals_[i].add_(other.totals_[i]);
  finish_physical_batch(other.examples_, other.positions_);
}

}  // namespace ghostgrad::clip
