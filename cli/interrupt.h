// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and SIGTERM ask for an end; asked twice, they enforce it.
//
//     const Interrupt interrupt;                          // for as long as it lives
//     trainer.train({.stop = interrupt.requested()});
//     if (interrupt.signal() != 0) ...
#pragma once

#include <atomic>

namespace ghostgrad::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] const std::atomic<bool>* requested() const;
  /// The signal that asked, 0 if none did.
  [[nodiscard]] int signal() const;
};

}  // namespace ghostgrad::cli
