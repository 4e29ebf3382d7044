// SPDX-License-Identifier: Apache-2.0
// A training on its way, on standard error: a bar on a terminal, a line per epoch elsewhere.
//
//     ProgressDisplay display;
//     trainer.train({.progress = [&](const auto& progress) { display.show(progress); }});
#pragma once

#include <chrono>
#include <string>

#include "ghostgrad/engine/trainer.h"

namespace ghostgrad::cli {

/// One line without newline: "epoch 3.0/10  step 222/740  loss 0.412  test accuracy 93.1 %  epsilon 1.77  3,104 examples/s".
[[nodiscard]] std::string in_one_line(const engine::Progress& progress);

class ProgressDisplay {
 public:
  ProgressDisplay();
  void show(const engine::Progress& progress);
  /// Ends the bar, so that whatever comes next begins on a line of its own.
  void finish();

 private:
  void draw(const engine::Progress& progress);

  bool terminal_;
  bool drawn_ = false;
  engine::Score test_;  // the last one
  std::chrono::steady_clock::time_point next_;
};

}  // namespace ghostgrad::cli
