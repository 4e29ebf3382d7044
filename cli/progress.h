// SPDX-License-Identifier: Apache-2.0
// A training on its way, on standard error: a bar on a terminal, a line per epoch elsewhere.
//
//     ProgressDisplay display;
//     trainer.train({.progress = [&](const auto& progress) { display.show(progress); }});
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "ghostgrad/engine/trainer.h"

namespace ghostgrad::cli {

class ProgressDisplay {
 public:
  ProgressDisplay();
  void show(const engine::Progress& progress);
  /// Ends the bar, so that whatever comes next begins on a line of its own.
  void finish();

 private:
  void draw(const engine::Progress& progress);
  [[nodiscard]] std::string line(const engine::Progress& progress) const;

  bool terminal_;
  bool drawn_ = false;
  engine::Score test_;             // at the last end of an epoch,
  std::optional<double> epsilon_;  // and what was spent by then
  std::chrono::steady_clock::time_point next_;
};

}  // namespace ghostgrad::cli
