// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/clipped_sum.h"

#include <cmath>
#include <utility>

#include "ghostgrad/base/error.h"

namespace ghostgrad::clip {

ClippedSum::ClippedSum(std::vector<at::Tensor> zeros, std::optional<noise::Lattice> lattice, double threshold, bool is_clipped)
    : totals_(std::move(zeros)), lattice_(std::move(lattice)), threshold_(threshold), is_clipped_(is_clipped) {}

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

void ClippedSum::finish_physical_batch(double accumulation_error) {
  const double rounding = lattice_ ? std::sqrt(static_cast<double>(dimension())) * lattice_->resolution / 2 : 0;
  error_bound_ += accumulation_error + rounding;
  ++physical_batches_;
}

void ClippedSum::merge(const ClippedSum& other) {
  const bool same = totals_.size() == other.totals_.size() && threshold_ == other.threshold_ && is_clipped_ == other.is_clipped_ &&
                    lattice_.has_value() == other.lattice_.has_value() && (!lattice_ || lattice_->resolution == other.lattice_->resolution);
  if (!same)
    throw base::PrivacyError("clipped sum", "can only be merged with one of the same plan", "another", "use one plan on every rank");
  for (size_t i = 0; i < totals_.size(); ++i) totals_[i].add_(other.totals_[i]);
  error_bound_ += other.error_bound_;
  physical_batches_ += other.physical_batches_;
}

}  // namespace ghostgrad::clip
