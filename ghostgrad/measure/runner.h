// SPDX-License-Identifier: Apache-2.0
// One method on one workload, step after step.
//
//     Runner runner(workload, "bk");
//     runner.step();                              // forward + clipped sum; for non_private forward + ordinary backward
//
// Kept from step to step, so that `auto` remembers what it measured.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ghostgrad/clip/clipper.h"
#include "ghostgrad/measure/workload.h"

namespace ghostgrad::measure {

class Runner {
 public:
  /// The workload must outlive the runner. `keep_bytes` is for `auto` (clip::ClipperOptions).
  Runner(const Workload& workload, const std::string& method, int64_t keep_bytes = int64_t{1} << 30);

  [[nodiscard]] const clip::Method& method() const { return clipper_.method(); }
  void step();
  /// The same, in seconds.
  double timed_step();
  /// The clipped sum of one step without a lattice.
  [[nodiscard]] std::vector<at::Tensor> exact_sum();
  /// What the calls of one step cost, bundle by bundle.
  [[nodiscard]] std::vector<rules::Cost> costs();

 private:
  void accumulate(clip::ClippedSum& sum);

  const Workload& workload_;
  clip::Clipper clipper_;
  std::optional<clip::ClippedSum> sum_;
  int64_t dimension_ = 0;
};

}  // namespace ghostgrad::measure
