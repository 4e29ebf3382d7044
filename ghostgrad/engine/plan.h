// SPDX-License-Identifier: Apache-2.0
// What a training run is: every public number that the guarantee rests on, checked once.
//
//     Plan plan({.clip = 1.0, .noise_multiplier = 1.1, .expected_batch_size = 256, .sample_rate = 256.0 / 50000, .method = "auto"});
//
// Guarantee: a Plan that exists is valid. `performance` cannot change the privacy of a run: it is a struct of its own, and no event reads
// it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "ghostgrad/engine/adaptive.h"
#include "ghostgrad/privacy/accountants.h"
#include "ghostgrad/privacy/events.h"

namespace ghostgrad::engine {

/// What only costs or saves time and memory.
struct PerformanceOptions {
  int64_t keep_bytes = int64_t{1} << 30;  // instantiated gradients that `auto` may keep between norms and sums
};

struct PlanOptions {
  std::optional<double> clip = std::nullopt;  // C, the threshold: no example moves the clipped sum by more; 1, or what the groups say
  /// sigma: the noise has standard deviation sigma C. 0 means no privacy (debugging, benchmarks). Must be set.
  double noise_multiplier = std::numeric_limits<double>::quiet_NaN();
  /// What a release is divided by: public, q N, never the size of a batch. Must be set.
  double expected_batch_size = std::numeric_limits<double>::quiet_NaN();
  /// The most positions that an example has in any layer: tokens of the longest sequence, pixels of the largest feature map. Public: rounding
  /// errors grow with them, and the noise is made to cover those. Without it all examples must have those of the first batch.
  std::optional<double> positions = std::nullopt;
  /// q of Poisson sampling. Without it the engine trains, but epsilon() asks for it.
  std::optional<double> sample_rate = std::nullopt;
  std::string method = "auto";                         // a row of the table of methods
  std::string clip_function = "abadi";                 // a row of clip::clip_functions()
  std::optional<double> clip_constant = std::nullopt;  // of the clip function, where it has one
  /// What is clipped together (clip/groups.h): flat | per_layer | per_block | per_parameter, together C; or PREFIX=C_g,... instead of C.
  std::string groups = "flat";
  std::optional<AdaptiveClipping> adaptive_clipping = std::nullopt;  // C follows a quantile of the norms
  std::string independence = "graph";  // graph: what the graph cannot prove needs check_independence; assumed: the user vouches for it
  std::string accountant{privacy::kUsualAccountant};  // a row of privacy::accountants()
  PerformanceOptions performance = {};
};

class Plan {
 public:
  /// Errors: InvalidArgument naming option, value and what to pass instead.
  explicit Plan(PlanOptions options);

  /// As given, and `clip` where the groups do not say it.
  [[nodiscard]] const PlanOptions& options() const { return options_; }
  /// What one release is to the accountant. Requires a sample rate.
  [[nodiscard]] privacy::Event event() const;
  /// What every statement of such a run must say.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  PlanOptions options_;
};

}  // namespace ghostgrad::engine
