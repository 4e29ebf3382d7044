// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_curve.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/base/maths.h"

namespace ghostgrad::privacy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double most_cells = 0x1p21;
constexpr double enough_cells = 0x1p14;  // to be widened beyond
constexpr double widest_of_all = 64;
constexpr std::size_t most_windows = 6;  // 16 MiB each at most

/// The mixture of atoms that a public coin makes.
LossAtoms mixed(const std::vector<LossAtoms>& all, const ReleaseLoss& release) {
  if (all.size() == 1) return all.front();
  std::map<std::int64_t, double> sum;
  LossAtoms atoms;
  for (std::size_t part = 0; part < all.size(); ++part) {
    for (std::size_t i = 0; i < all[part].at.size(); ++i) sum[all[part].at[i]] += release[part].weight * all[part].mass[i];
    atoms.at_infinity += release[part].weight * all[part].at_infinity;
  }
  for (const auto& [at, mass] : sum) {
    atoms.at.push_back(at);
    atoms.mass.push_back(mass);
  }
  return atoms;
}

double mean_of(const LossAtoms& atoms, double interval) {
  double sum = 0;
  for (std::size_t i = 0; i < atoms.at.size(); ++i) sum += atoms.mass[i] * static_cast<double>(atoms.at[i]);
  return interval * sum;
}

/// The ends between which the tilted losses on the grid lie but for 1e-20, by Chernoff's bound with the best of a few further tilts.
/// Moving a loss to the grid moves it by less than an interval, up and down in balance: by Hoeffding's lemma that adds at most
/// interval^2 (t^2 + |t|) / 2 to K(t) of one release.
Reach window_ends(const RunMoments& moments, double tilt, double spread) {
  constexpr double log_rest = 46;
  const auto here = moments.at(tilt);
  const auto on_grid = [&](double t) { return moments.at(t).value + spread * (t * t + std::abs(t)) / 2; };
  Reach ends{-1e300, 1e300};
  for (double further = std::sqrt(2 * log_rest / std::max(here.curvature + spread, 1e-300)) / 1024; true; further *= 1.6) {
    const double to = (on_grid(tilt + further) - here.value + log_rest) / further;
    const double from = (here.value - on_grid(tilt - further) - log_rest) / further;
    const bool better = to < ends.to || from > ends.from;
    ends = {std::fmax(ends.from, from), std::fmin(ends.to, to)};
    if (!better) return ends;
  }
}

/// ln of sum of mass e^(tilt at).
double log_moment(const LossAtoms& atoms, double tilt) {
  const double ends = std::max(tilt * static_cast<double>(atoms.at.front()), tilt * static_cast<double>(atoms.at.back()));
  double sum = 0;
  for (std::size_t i = 0; i < atoms.at.size(); ++i) sum += atoms.mass[i] * std::exp(tilt * static_cast<double>(atoms.at[i]) - ends);
  return sum > 0 ? ends + std::log(sum) : infinity;  // infinity: underflow, nothing is known
}

/// ln of how much of the tilted distribution may lie below the window, by Chernoff's bound on the atoms themselves: rounding down is not
/// in balance, and what wraps round would look like large losses. The search for the best bound ends when it is below `enough`.
double log_below(const std::vector<CountedAtoms>& releases, const WindowPlan& plan, double deviation, double enough) {
  const double tilt = plan.tilt * plan.interval;
  const std::int64_t first = plan.centre - plan.size / 2;
  const auto from = static_cast<double>(first);
  double lowest = 0;
  double log_all = 0;
  for (const auto& [atoms, count] : releases) {
    lowest += count * static_cast<double>(atoms.at.front());
    log_all += count * log_moment(atoms, tilt);
  }
  if (lowest >= from) return -infinity;
  const auto bound = [&](double further) {
    double log_mass = further * from - log_all;
    for (const auto& [atoms, count] : releases) log_mass += count * log_moment(atoms, tilt - further);
    return log_mass;
  };
  const double start = 6 / deviation * plan.interval;
  double best = bound(start);
  for (const double factor : {1.6, 1 / 1.6}) {  // the bound is convex
    for (double further = start * factor; best > enough; further *= factor) {
      const double next = bound(further);
      if (!(next < best - 0.01)) break;
      best = next;
    }
  }
  return best;
}

/// The widest range of losses of one release.
double widest_range(const ReleaseLoss& release, double log_tail) {
  double range = 0;
  for (const auto& part : release) {
    const auto reach = reach_of(part.pair, log_tail);
    range = std::max(range, loss_at(part.pair, reach.to) - loss_at(part.pair, reach.from));
  }
  return range;
}

/// Without the outcomes that make losses of adding an example so low that they lack any weight under the tilt: from z = 0 on it falls.
Reach without_low_losses(const LossPair& pair, const Reach& reach, const Weighting& weighting, double log_rest) {
  const auto matters = [&](double z) {
    return log_density(pair, z) + std::log(pair.sigma) + weighting.slope * loss_at(pair, z) - weighting.log_total > log_rest;
  };
  if (matters(reach.to)) return reach;
  double low = 0;
  double high = reach.to;
  for (int i = 0; i < 30; ++i) {
    const double middle = (low + high) / 2;
    (matters(middle) ? low : high) = middle;
  }
  return {reach.from, high};
}

/// A tilt that leaves the losses in question three standard deviations off: likely enough for all their digits, and large losses,
/// which a full tilt makes likely too, stay rare and the window narrow.
double gentle(const RunMoments& moments, double tilt) { return std::max(0.0, tilt - 3 / std::sqrt(moments.at(0).curvature)); }

/// ln of Chernoff's bound on delta(epsilon) under this tilt.
double log_chernoff(const RunMoments& moments, double tilt, double epsilon) {
  return moments.at(tilt).value - tilt * epsilon + log_largest_part(tilt);
}

Side side_of(Rounding rounding) {
  if (rounding == Rounding::unbiased) return Side::neither;
  return rounding == Rounding::pessimistic ? Side::upper : Side::lower;
}

}  // namespace

void LossCurve::add(const ReleaseLoss& release, double count) {
  runs_.push_back({release, count, 0});
  runs_.back().mean = run_moments(runs_.back(), -700).at(0).slope;
  total_ += count;
}

bool LossCurve::is_feasible() const {
  if (total_ > 1e10) return false;
  return std::ranges::all_of(runs_, [](const Counted& run) {
    return std::ranges::all_of(run.loss, [](const LossPart& part) {
      return part.pair.sigma < 1e8 && part.pair.sample_rate > 1e-13 && loss_at(part.pair, 1 + 10 * part.pair.sigma) < 600;
    });
  });
}

/// What all releases together may lose: 1e-10 of the delta in question.
double LossCurve::log_tail(double log_delta) const { return log_delta - 23 - std::log(total_); }

/// Adding an example makes no outcome less likely by more than the factor 1 - q; the other losses have no end.
double LossCurve::largest_loss() const {
  if (direction_ == Direction::remove) return infinity;
  double sum = 0;
  for (const auto& run : runs_) {
    double largest = 0;
    for (const auto& part : run.loss) largest = std::max(largest, part.pair.replaced ? infinity : -std::log1p(-part.pair.sample_rate));
    sum += run.count * largest;
  }
  return sum;
}

LossNodes LossCurve::run_moments(const Counted& run, double log_tail) const {
  LossNodes nodes;
  for (const auto& [weight, pair] : run.loss) nodes.add(pair, swaps(pair), reach_of(pair, log_tail), weight);
  return nodes;
}

RunMoments LossCurve::moments(double log_tail) const {
  RunMoments all;
  for (const auto& run : runs_) all.add(run_moments(run, log_tail), run.count);
  return all;
}

bool LossCurve::stays_below(double epsilon, double delta) const {
  if (!(epsilon > 0 && delta > 0)) return false;
  if (std::isinf(epsilon)) return true;
  constexpr double log_margin = 1;  // for the losses beyond the reach (1e-10 delta) and the errors of the trapezoidal rule
  const double log_delta = std::log(delta);
  const auto all = moments(log_tail(log_delta));
  return log_chernoff(all, all.tilt_for_epsilon(epsilon), epsilon) < log_delta - log_margin;
}

WindowPlan LossCurve::plan(const Question& question, double tilt) const {
  const auto here = question.moments.at(question.tilt);
  double interval = options_.interval;
  const auto ends = [&] { return window_ends(question.moments, tilt, total_ * interval * interval); };
  if (options_.interval == 0) {
    const double scale = std::max(here.slope, std::sqrt(here.curvature) / 10);
    interval = std::sqrt(12 * options_.tolerance * scale / (total_ * (question.tilt + 1)));
    if (question.largest_interval > 0) interval = std::min(interval, question.largest_interval);
    if (options_.largest_spread > 0) interval = std::min(interval, options_.largest_spread / std::sqrt(total_));
    for (const auto& run : runs_) interval = std::max(interval, widest_range(run.loss, log_tail(question.log_delta)) / most_cells);
    interval = std::max(interval, (ends().to - ends().from) / static_cast<double>(options_.largest_window - 8));
  }
  const auto [from, to] = ends();
  const double points = (to - from) / interval + 8;
  if (!(points < 0x1p24)) {
    throw base::Unsupported("pld", "the interval is too small for the losses of this run", fmt::format("{:.3g} grid points", points),
                            "choose a larger interval, or 0 for an adaptive one");
  }
  const auto size = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(std::max(points, 16.0))));
  // The transform has that many points anyway.
  if (options_.interval == 0) interval = (to - from) / static_cast<double>(size - 8);
  return {.interval = interval, .tilt = tilt, .centre = std::llround((from + to) / 2 / interval), .size = size};
}

/// In intervals.
double LossCurve::widest_cell(const Counted& run, const Question& question, double interval, Rounding rounding) const {
  if (options_.interval > 0 || rounding == Rounding::unbiased) return 1;  // the error bars of an estimate need equal widths
  if (rounding == Rounding::pessimistic || runs_.size() > 16) return widest_of_all;
  // Merging neighbours is at its best with cells of equal width.
  return std::clamp(widest_range(run.loss, log_tail(question.log_delta)) / interval / enough_cells, 1.0, widest_of_all);
}

LossAtoms LossCurve::atoms_of(const Counted& run, const Question& question, double interval, Rounding rounding) const {
  const double here = run_moments(run, log_tail(question.log_delta)).at(question.tilt).value;
  const double widest = widest_cell(run, question, interval, rounding);
  std::vector<LossAtoms> all;
  for (const auto& [weight, pair] : run.loss) {
    const bool swap = swaps(pair);
    auto reach = reach_of(pair, log_tail(question.log_delta));
    // Under Q and with the opposite sign, where swapped.
    const Weighting weighting{swap ? -1 - question.tilt : question.tilt, here, widest};
    if (swap && rounding != Rounding::unbiased && options_.interval == 0)
      reach = without_low_losses(pair, reach, weighting, -50 - std::log(total_));
    const auto cells = make_cells(pair, interval, reach, widest > 1 ? &weighting : nullptr);
    const auto directed = swap ? swapped(cells) : cells;
    all.push_back(rounding == Rounding::optimistic ? optimistic_atoms(directed) : pessimistic_atoms(directed));
  }
  return mixed(all, run.loss);
}

const LossCurve::Kept& LossCurve::compose(const Question& question, double tilt, Rounding rounding, Fft& fft) {
  const auto planned = plan(question, tilt);
  std::vector<CountedAtoms> releases;
  double lost = 0;
  for (const auto& run : runs_) {
    releases.push_back({atoms_of(run, question, planned.interval, rounding), run.count});
    lost += run.count * (run.mean - mean_of(releases.back().atoms, planned.interval));
  }
  const double shift = rounding == Rounding::unbiased ? lost : 0;
  if (kept_.size() >= most_windows) kept_.erase(kept_.begin());
  const double deviation = std::sqrt(question.moments.at(tilt).curvature);
  const double log_wrap = rounding == Rounding::optimistic
                              ? log_below(releases, planned, deviation, tilt > 0 ? -35 : std::min(-35.0, question.log_delta - 18))
                              : -infinity;
  kept_.push_back({rounding, planned.interval, question.log_delta - 4, shift, lost, log_wrap,
                   LossWindow(std::move(releases), planned, side_of(rounding), fft)});
  return kept_.back();
}

/// The interval that keeps to the tolerance, now that epsilon and the slope of ln delta there are known.
double LossCurve::interval_for(const LossWindow& window, double epsilon) const {
  const double step = 1e-3 * epsilon;
  const double slope = std::log(window.delta(epsilon) / window.delta(epsilon + step)) / step;
  return std::sqrt(12 * options_.tolerance * epsilon / (total_ * (std::max(slope, 0.0) + 1)));
}

LossCurve::Answer LossCurve::search(const Question& question, double delta, Rounding rounding, Fft& fft) {
  const bool from_below = rounding == Rounding::optimistic;
  const double asked = from_below ? delta * (1 + 1e-6) : delta;  // what wrapped may have added
  Answer best{from_below ? -infinity : infinity, 0};
  double low = 0;
  double high = question.tilt;
  double tilt = gentle(question.moments, question.tilt);
  for (int round = 0; round < 8; ++round) {
    const auto& kept = compose(question, tilt, rounding, fft);
    best.interval = best.interval == 0 ? kept.interval : best.interval;
    const double epsilon = kept.window.epsilon(asked);
    // Each of them is a bound.
    const bool better = from_below ? epsilon > best.value : epsilon < best.value;
    const bool usable = std::isfinite(epsilon) && (!from_below || kept.is_clean(epsilon, delta));
    if (better && usable) best = {epsilon + kept.shift, kept.interval};
    if (usable && kept.window.reliable_at(epsilon)) return {epsilon + kept.shift, kept.interval};
    const bool too_gentle = epsilon > kept.window.reliable_to() || (std::isfinite(epsilon) && !usable);
    if (too_gentle && tilt == question.tilt) break;
    const bool first = round == 0 && too_gentle;
    (too_gentle ? low : high) = tilt;
    if (high - low < 0.01 * high) break;
    tilt = first ? high : (low + high) / 2;
  }
  return best;
}

LossCurve::Answer LossCurve::epsilon(double delta, Rounding rounding, Fft& fft) {
  const double largest = rounding == Rounding::pessimistic ? largest_loss() : infinity;
  try {
    auto answer = epsilon_on_grid(delta, rounding, fft);
    answer.value = std::min(answer.value, largest);
    return answer;
  } catch (const base::Unsupported&) {
    if (options_.interval > 0 || rounding == Rounding::unbiased) throw;
    return {rounding == Rounding::optimistic ? -infinity : largest, 0};
  }
}

LossCurve::Answer LossCurve::delta(double epsilon, Rounding rounding, Fft& fft) {
  if (rounding != Rounding::unbiased && epsilon >= largest_loss()) return {0, 0};
  try {
    return delta_on_grid(epsilon, rounding, fft);
  } catch (const base::Unsupported&) {
    if (options_.interval > 0 || rounding == Rounding::unbiased) throw;
    return {rounding == Rounding::optimistic ? 0.0 : 1.0, 0};
  }
}

LossCurve::Answer LossCurve::epsilon_on_grid(double delta, Rounding rounding, Fft& fft) {
  for (const auto& kept : kept_) {
    if (kept.rounding != rounding || std::log(delta) < kept.log_delta) continue;
    const double epsilon = kept.window.epsilon(rounding == Rounding::optimistic ? delta * (1 + 1e-6) : delta);
    if (!kept.is_clean(epsilon, delta)) continue;
    const bool fine = options_.interval > 0 || !(epsilon > 0) || kept.interval < 1.5 * interval_for(kept.window, epsilon);
    if (fine && kept.window.reliable_at(epsilon)) return {epsilon + kept.shift, kept.interval};
  }
  Question question{std::log(delta), moments(log_tail(std::log(delta)))};
  question.tilt = question.moments.tilt_for_delta(question.log_delta);
  auto answer = search(question, delta, rounding, fft);
  for (int finer = 0; finer < 3 && options_.interval == 0; ++finer) {
    const auto& window = kept_.back().window;
    const double reached = window.epsilon(delta);
    double wanted = reached > 0 ? interval_for(window, reached) : infinity;
    // Rounded down rather than merged, because most losses lie in a few cells.
    if (rounding == Rounding::optimistic && kept_.back().lost > 3 * options_.tolerance * reached)
      wanted = std::min(wanted, answer.interval / 8);
    if (!(wanted > 0) || answer.interval < 1.5 * wanted) break;
    question.largest_interval = wanted;
    const auto again = search(question, delta, rounding, fft);
    const bool as_fine_as_can_be = again.interval > 0.9 * answer.interval;
    answer = again;
    if (as_fine_as_can_be) break;
  }
  return answer;
}

LossCurve::Answer LossCurve::delta_on_grid(double epsilon, Rounding rounding, Fft& fft) {
  for (const auto& kept : kept_) {
    if (kept.rounding != rounding || !kept.window.reliable_at(epsilon - kept.shift)) continue;
    const double delta = kept.window.delta(epsilon - kept.shift);
    if (std::log(delta) >= kept.log_delta && kept.is_clean(epsilon, delta)) return {delta - kept.wrapped(epsilon), kept.interval};
  }
  Answer answer{1, 0};
  double log_delta = 0;
  for (int round = 0; round < 4; ++round) {  // which losses matter depends on the answer
    Question question{log_delta, moments(log_tail(log_delta))};
    question.tilt = question.moments.tilt_for_epsilon(epsilon);
    question.log_delta = std::min(log_delta, log_chernoff(question.moments, question.tilt, epsilon));
    const auto* kept = &compose(question, gentle(question.moments, question.tilt), rounding, fft);
    if (!kept->window.reliable_at(epsilon - kept->shift)) kept = &compose(question, question.tilt, rounding, fft);
    answer = {std::max(kept->window.delta(epsilon - kept->shift) - kept->wrapped(epsilon), 0.0), kept->interval};
    const double found = std::log(std::max(answer.value, 1e-300));
    if (found > question.log_delta - 9) break;
    log_delta = found;
  }
  return answer;
}

}  // namespace ghostgrad::privacy
