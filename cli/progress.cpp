// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include "cli/output.h"
#include <algorithm>
#include <cmath>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::cli {
namespace {

constexpr int kBarWidth = 20;
constexpr auto kBetweenDrawings = std::chrono::milliseconds(100);

size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string bar(double done) {
  const int filled = static_cast<int>(std::floor(done * kBarWidth));
  return '[' + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + ']';
}

}  // namespace

ProgressDisplay::ProgressDisplay() : terminal_(isatty(STDERR_FILENO) == 1), next_(std::chrono::steady_clock::now()) {}

void ProgressDisplay::show(const engine::Progress& progress) {
  if (progress.epoch_ended) {
    test_ = progress.test;
    epsilon_ = progress.epsilon();
    if (!terminal_) std::cerr << line(progress) << std::endl;
  }
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || (now < next_ && progress.step < progress.steps)) return;
  next_ = now + kBetweenDrawings;
  draw(progress);
}

/// "epoch 3.0/10  step 222/740  loss 0.412  test accuracy 93.1 %  epsilon 1.77  3,104 examples/s"
std::string ProgressDisplay::line(const engine::Progress& progress) const {
  std::string text = fmt::format("epoch {:.1f}/{}  step {}/{}", std::min(progress.epoch, static_cast<double>(progress.epochs)),
                                 progress.epochs, progress.step, progress.steps);
  if (progress.loss) text += fmt::format("  loss {:.3f}", *progress.loss);
  if (test_.value) text += fmt::format("  test {} {}", test_.metric, engine::in_words(test_));
  if (epsilon_) text += fmt::format("  epsilon {}", privacy::rounded_up(*epsilon_));
  return text + fmt::format("  {} examples/s", with_commas(progress.examples_per_second));
}

void ProgressDisplay::draw(const engine::Progress& progress) {
  const double done = static_cast<double>(progress.step) / static_cast<double>(progress.steps);
  const std::string text = bar(done) + ' ' + line(progress);
  std::cerr << '\r' << text.substr(0, terminal_width() - 1) << "\x1b[K" << std::flush;
  drawn_ = true;
}

void ProgressDisplay::finish() {
  if (drawn_) std::cerr << std::endl;
  drawn_ = false;
}

}  // namespace ghostgrad::cli
