// SPDX-License-Identifier: Apache-2.0
// From what a user asks for to the public numbers of a run.
//
//     q = batch / N,  steps = ceil(epochs N / batch),  sigma from (epsilon, delta) if it was not given
//
//     const Schedule schedule = make_schedule({.epsilon = 3, .delta = 1e-5, .batch = 256, .epochs = 10}, data.size());
//
// The data set size N counts as public. Everything here is decided before an example is looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ghostgrad/engine/adaptive.h"
#include "ghostgrad/engine/optimizer.h"
#include "ghostgrad/privacy/accountants.h"
#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::engine {

struct TrainerOptions {
  /// The privacy budget: exactly one of these two. epsilon > 0 is turned into the smallest noise that keeps within it; noise_multiplier >=
  /// 0 is taken as it is, and 0 means no privacy at all.
  std::optional<double> epsilon{};
  std::optional<double> noise_multiplier{};
  double delta = 1e-5;                                // in (0, 1); below 1 / N, or a warning says so
  std::string accountant{privacy::kUsualAccountant};  // a row of privacy::accountants()

  std::optional<double> clip{};                         // C > 0, no example moves the sum by more; 1, or what the groups say
  std::string clip_function = "abadi";                  // a row of clip::clip_functions()
  std::optional<double> clip_constant{};                // of the clip function, where it has one
  std::string groups = "flat";                          // what is clipped together (clip/groups.h)
  std::optional<AdaptiveClipping> adaptive_clipping{};  // C follows a quantile of the norms; `clip` is where it starts
  int64_t batch = 512;                  // expected logical batch size, 1 to N: each example is drawn with probability batch / N
  int64_t physical_batch = 64;          // >= 1: examples in memory at a time; no influence on privacy
  int64_t epochs = 20;                  // >= 1: each example is drawn this often on average
  std::string method = "auto";          // a row of clip::methods()
  std::optional<int64_t> keep_bytes{};  // >= 0: instantiated gradients that `auto` may keep, no other method; no influence on privacy
  OptimizerOptions optimizer{};

  /// Whether Progress carries the training loss. It is computed from the private examples without noise: for the eyes of whoever may see
  /// the data anyway, never for publication. Nothing else here shows it.
  bool report_loss = true;
};

/// Errors: InvalidArgument naming option, value and constraint.
void check(const TrainerOptions& options);

struct Schedule {
  double sample_rate = 0;
  int64_t steps = 0;
  double noise_multiplier = 0;
  /// What the whole run will have spent, with all warnings that are known beforehand.
  privacy::PrivacyStatement planned;
};

/// Errors: those of check(); InvalidArgument for a batch above N, and for a budget that no noise can keep.
[[nodiscard]] Schedule make_schedule(const TrainerOptions& options, int64_t data_set_size);

}  // namespace ghostgrad::engine
