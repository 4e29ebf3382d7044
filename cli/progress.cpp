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

std::string in_one_line(const engine::Progress& progress) {
  std::string line = fmt::format("epoch {:.1f}/{}  step {}/{}", std::min(progress.epoch, static_cast<double>(progress.epochs)),
                                 progress.epochs, progress.step, progress.steps);
  if (progress.loss) line += fmt::format("  loss {:.3f}", *progress.loss);
  if (progress.test.value) line += fmt::format("  test {} {}", progress.test.metric, engine::in_words(progress.test));
  line += fmt::format("  epsilon {}  {} examples/s", privacy::rounded_up(progress.epsilon), with_commas(progress.examples_per_second));
  return line;
}

ProgressDisplay::ProgressDisplay() : terminal_(isatty(STDERR_FILENO) == 1), next_(std::chrono::steady_clock::now()) {}

void ProgressDisplay::show(const engine::Progress& progress) {
  if (!terminal_) {
    if (progress.epoch_ended) std::cerr << in_one_line(progress) << std::endl;
    return;
  }
  if (progress.test.value) test_ = progress.test;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_ && progress.step < progress.steps) return;
  next_ = now + kBetweenDrawings;
  draw(progress);
}

void ProgressDisplay::draw(const engine::Progress& progress) {
  engine::Progress shown = progress;
  shown.test = test_;
  const double done = static_cast<double>(progress.step) / static_cast<double>(progress.steps);
  const std::string line = bar(done) + ' ' + in_one_line(shown);
  std::cerr << '\r' << line.substr(0, terminal_width() - 1) << "\x1b[K" << std::flush;
  drawn_ = true;
}

void ProgressDisplay::finish() {
  if (drawn_) std::cerr << std::endl;
  drawn_ = false;
}

}  // namespace ghostgrad::cli
