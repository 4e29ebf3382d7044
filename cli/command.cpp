// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace ghostgrad::cli {

const std::vector<CommandRow>& commands() {
  static const std::vector<CommandRow> rows = {
      {"train", "train a model on a data set with differential privacy", make_train},
      {"account", "epsilon (or delta) that training with this noise spends", make_account},
      {"calibrate", "the noise, steps, sample rate or delta that keeps training within a budget", make_calibrate},
      {"compare", "what every accountant says of the same training", make_compare},
      {"methods", "ways to form the clipped sum; all give the same one", make_methods},
      {"models", "networks that can be trained by name", make_models},
      {"rules", "layers whose per-example gradients have a fast way", make_rules},
      {"bench", "time every method against ordinary training", make_bench},
  };
  return rows;
}

}  // namespace ghostgrad::cli
