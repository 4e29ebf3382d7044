// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.h"

#include <csignal>

namespace ghostgrad::cli {
namespace {

// A signal handler can reach nothing but globals.
std::atomic<bool> requested_stop{false};
std::atomic<int> received{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void on_signal(int number) {
  requested_stop = true;
  received = number;
  std::signal(number, SIG_DFL);  // the next one ends the program as if nobody had listened
}

}  // namespace

Interrupt::Interrupt() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

Interrupt::~Interrupt() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

const std::atomic<bool>* Interrupt::requested() const { return &requested_stop; }
int Interrupt::signal() const { return received; }

}  // namespace ghostgrad::cli
