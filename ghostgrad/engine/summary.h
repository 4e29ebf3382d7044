// SPDX-License-Identifier: Apache-2.0
// What a training run was and what it promises; all of it may be published.
//
//     const Summary summary = trainer.train();
//     summary.statement.epsilon;
//     to_json(summary).dump(2);
//
// Guarantee: made of public numbers, the released model, and examples that were not trained on. The training loss is not in it; speed is
// counted in expected examples, since how many were really drawn is the sampler's secret.
#pragma once

#include <cstdint>

#include <nlohmann/json_fwd.hpp>

#include "ghostgrad/engine/engine.h"
#include "ghostgrad/engine/task.h"
#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::engine {

struct Summary {
  privacy::PrivacyStatement statement;  // for the releases that were made, with all warnings
  Report report;                        // of the last physical batch: method, calls by rule, what got no gradient
  Score test;
  int64_t planned_steps = 0;
  double planned_epsilon = 0;  // what planned_steps would have spent
  double clip = 0;             // C of the first step: how far one example moves the sum at most, whatever the groups
  double final_clip = 0;       // the same, unless adaptive clipping has moved it
  bool interrupted = false;    // stopped before planned_steps
  double seconds = 0;          // in steps, without evaluation
  double examples_per_second = 0;
};

/// Flat: the fields of the statement, the score as test_accuracy or test_perplexity, and epsilon as "infinity" where there is no promise.
[[nodiscard]] nlohmann::json to_json(const Summary& summary);

}  // namespace ghostgrad::engine
