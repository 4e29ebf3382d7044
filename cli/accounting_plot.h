// SPDX-License-Identifier: Apache-2.0
// The plots of `account` and `compare`: delta for each epsilon, and epsilon as training goes on.
#pragma once

#include "cli/accounting.h"
#include "cli/plot.h"
#include <string>
#include <vector>

namespace ghostgrad::cli {

struct PlottedRun {
  RunOptions run;
  double delta;
  std::vector<AccountantOptions> accountants;  // one line each; dashed where it only approximates
};

[[nodiscard]] Panel delta_panel(const PlottedRun& plotted);
[[nodiscard]] Panel steps_panel(const PlottedRun& plotted);

/// Both panels; only the first for events from a file, which have no number of steps.
void write_plot(const std::string& file, const PlottedRun& plotted);

}  // namespace ghostgrad::cli
