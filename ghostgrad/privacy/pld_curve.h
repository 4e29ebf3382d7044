// SPDX-License-Identifier: Apache-2.0
// The privacy curve of a whole run in one direction, delta(epsilon) = sup over sets of P(S) - e^epsilon Q(S), on windows that are
// composed where somebody asks (privacy/pld_window.h) and kept for further questions near by.
//
// The grid adapts: connecting the dots inflates K(t) of one release by about t (t + 1) interval^2 / 12, so epsilon by
//
//     releases * (tilt + 1) * interval^2 / 12       which is kept below tolerance * epsilon, while a window has at most 2^20 points
//
//     LossCurve curve(Direction::remove, {});
//     curve.add({{1.0, LossPair{.sigma = 1, .sample_rate = 0.01}}}, 1000);
//     curve.epsilon(1e-5, Rounding::pessimistic);
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "ghostgrad/privacy/pld_cells.h"
#include "ghostgrad/privacy/pld_moments.h"
#include "ghostgrad/privacy/pld_window.h"

namespace ghostgrad::privacy {

enum class Direction { remove, add };

/// Unbiased: as the pessimistic one, and the mean put right afterwards. A loss goes to the two ends of its cell with the probabilities
/// that connect the dots, so that rounding errors are independent and, after the shift, of mean 0: the setting of [GLW21].
enum class Rounding { pessimistic, optimistic, unbiased };

/// One of the pairs that a public coin chooses among.
struct LossPart {
  double weight = 1;
  LossPair pair{};
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads the line
  [[nodiscard]] friend auto operator<=>(const LossPart&, const LossPart&) = default;
};
using ReleaseLoss = std::vector<LossPart>;

struct GridOptions {
  double interval = 0;                                  // of the grid; 0: adaptive
  double tolerance = 1e-5;                              // relative error of epsilon that the adaptive grid aims at
  double largest_spread = 0;                            // of sqrt(releases) * interval; 0: no limit
  std::int64_t largest_window = std::int64_t{1} << 20;  // grid points of an adaptive window
};

class LossCurve {
 public:
  LossCurve(Direction direction, const GridOptions& options) : direction_(direction), options_(options) {}

  void add(const ReleaseLoss& release, double count);

  /// False where a grid in double precision makes no sense: losses beyond +-600 in one release, or more than 10^10 releases.
  [[nodiscard]] bool is_feasible() const;

  /// Where no grid shows anything: the trivial bound (+-infinity, 1 or 0) if the grid is adaptive, base::Unsupported for a fixed interval
  /// or an estimate.
  struct Answer {
    double value;
    double interval;  // of the grid that gave it
  };
  [[nodiscard]] Answer epsilon(double delta, Rounding rounding, Fft& fft);
  [[nodiscard]] Answer delta(double epsilon, Rounding rounding, Fft& fft);

  /// True when Chernoff's bound, which costs next to nothing, shows delta(epsilon) to be below this delta: another direction decides.
  [[nodiscard]] bool stays_below(double epsilon, double delta) const;

  [[nodiscard]] double releases() const { return total_; }

 private:
  struct Counted {
    ReleaseLoss loss;
    double count;
    double mean;  // of the loss of one release
  };
  struct Kept {
    Rounding rounding;
    double interval;
    double log_delta;  // the least for which enough of the tails is there
    double shift;      // puts the mean of rounded losses right
    double lost;       // by rounding, of the mean of all losses
    double log_wrap;   // ln of how much of an optimistic tilted distribution was rounded down past the window's lower end, at most
    LossWindow window;

    /// What it may add to delta.
    [[nodiscard]] double wrapped(double epsilon) const { return std::exp(log_wrap + window.log_weight(epsilon)); }
    /// False when what was wrapped may be more than 1e-6 of this delta.
    [[nodiscard]] bool is_clean(double epsilon, double delta) const { return log_wrap + window.log_weight(epsilon) < std::log(delta) - 14; }
  };

  /// What somebody asks about: how small a delta, the losses without those too rare to matter for it, and their likeliest tilt.
  struct Question {
    double log_delta;
    RunMoments moments;
    double tilt = 0;
    double largest_interval = 0;  // once an answer has shown what the tolerance takes; 0: no limit
  };

  [[nodiscard]] bool swaps(const LossPair& pair) const { return direction_ == Direction::add && !pair.replaced; }
  [[nodiscard]] double log_tail(double log_delta) const;
  [[nodiscard]] double largest_loss() const;
  [[nodiscard]] Answer epsilon_on_grid(double delta, Rounding rounding, Fft& fft);
  [[nodiscard]] Answer delta_on_grid(double epsilon, Rounding rounding, Fft& fft);
  [[nodiscard]] Answer search(const Question& question, double delta, Rounding rounding, Fft& fft);
  [[nodiscard]] double interval_for(const LossWindow& window, double epsilon) const;
  [[nodiscard]] LossNodes run_moments(const Counted& run, double log_tail) const;
  [[nodiscard]] RunMoments moments(double log_tail) const;
  [[nodiscard]] WindowPlan plan(const Question& question, double tilt) const;
  [[nodiscard]] const Kept& compose(const Question& question, double tilt, Rounding rounding, Fft& fft);
  [[nodiscard]] double widest_cell(const Counted& run, const Question& question, double interval, Rounding rounding) const;
  [[nodiscard]] LossAtoms atoms_of(const Counted& run, const Question& question, double interval, Rounding rounding) const;

  Direction direction_;
  GridOptions options_;
  std::vector<Counted> runs_{};
  double total_ = 0;
  std::vector<Kept> kept_{};
};

}  // namespace ghostgrad::privacy
