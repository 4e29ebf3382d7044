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

/// Whether more than 1e-15 of the tilted distribution may lie below the window, by Chernoff's bound on the atoms themselves: rounding
/// down is not in balance, and what wraps round would look like large losses.
bool may_wrap(const std::vector<CountedAtoms>& releases, const WindowPlan& plan, double deviation) {
  const double tilt = plan.tilt * plan.interval;
  const double from = static_cast<double>(plan.centre - plan.size / 2);
  double log_all = 0;
  for (const auto& [atoms, count] : releases) log_all += count * log_moment(atoms, tilt);
  for (const double factor : {6.0, 9.0, 3.0, 1.5, 14.0}) {
    const double further = factor / deviation * plan.interval;
    double log_mass = further * from - log_all;
    for (const auto& [atoms, count] : releases) log_mass += count * log_moment(atoms, tilt - further);
    if (log_mass < -34.5) return false;
  }
  return true;
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

/// A tilt that leaves the losses in question three standard deviations off: likely enough for all their digits, and large losses,
/// which a full tilt makes likely too, stay rare and the window narrow.
double gentle(const RunMoments& moments, double tilt) { return std::max(0.0, tilt - 3 / std::sqrt(moments.at(0).curvature)); }

Side side_of(Rounding rounding) {
  if (rounding == Rounding::nearest) return Side::nearest;
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

LossAtoms LossCurve::atoms_of(const Counted& run, const Question& question, double interval, Rounding rounding) const {
  const double here = run_moments(run, log_tail(question.log_delta)).at(question.tilt).value;
  std::vector<LossAtoms> all;
  for (const auto& [weight, pair] : run.loss) {
    const bool swap = swaps(pair);
    const auto reach = reach_of(pair, log_tail(question.log_delta));
    if (rounding == Rounding::nearest) {
      all.push_back(nearest_atoms(pair, swap, interval, reach));
      continue;
    }
    // Under Q and with the opposite sign, where swapped. Merging neighbours needs cells of equal width.
    const Weighting weighting{swap ? -1 - question.tilt : question.tilt, here};
    const auto cells =
        make_cells(pair, interval, reach, rounding == Rounding::pessimistic && options_.interval == 0 ? &weighting : nullptr);
    const auto directed = swap ? swapped(cells) : cells;
    all.push_back(rounding == Rounding::pessimistic ? pessimistic_atoms(directed) : optimistic_atoms(directed));
  }
  return mixed(all, run.loss);
}

const LossCurve::Kept& LossCurve::compose(const Question& question, double tilt, Rounding rounding, Fft& fft) {
  const auto planned = plan(question, tilt);
  std::vector<CountedAtoms> releases;
  double shift = 0;
  for (const auto& run : runs_) {
    releases.push_back({atoms_of(run, question, planned.interval, rounding), run.count});
    if (rounding == Rounding::nearest) shift += run.count * (run.mean - mean_of(releases.back().atoms, planned.interval));
  }
  if (kept_.size() >= most_windows) kept_.erase(kept_.begin());
  const bool wraps = rounding == Rounding::optimistic && may_wrap(releases, planned, std::sqrt(question.moments.at(tilt).curvature));
  kept_.push_back(
      {rounding, planned.interval, question.log_delta - 4, shift, wraps, LossWindow(releases, planned, side_of(rounding), fft)});
  return kept_.back();
}

/// The interval that keeps to the tolerance, now that epsilon and the slope of ln delta there are known.
double LossCurve::interval_for(const LossWindow& window, double epsilon) const {
  const double step = 1e-3 * epsilon;
  const double slope = std::log(window.delta(epsilon) / window.delta(epsilon + step)) / step;
  return std::sqrt(12 * options_.tolerance * epsilon / (total_ * (std::max(slope, 0.0) + 1)));
}

LossCurve::Answer LossCurve::search(const Question& question, double delta, Rounding rounding, Fft& fft) {
  Answer best{rounding == Rounding::optimistic ? -infinity : infinity, 0};
  double low = 0;
  double high = question.tilt;
  double tilt = gentle(question.moments, question.tilt);
  for (int round = 0; round < 8; ++round, tilt = low < high / 2 ? high : (low + high) / 2) {
    const auto& kept = compose(question, tilt, rounding, fft);
    if (kept.wraps) return {-infinity, kept.interval};
    const double epsilon = kept.window.epsilon(delta);
    // Each of them is a bound.
    const bool better = rounding == Rounding::optimistic ? epsilon > best.value : epsilon < best.value;
    if (better && std::isfinite(epsilon)) best = {epsilon + kept.shift, kept.interval};
    if (kept.window.reliable_at(epsilon)) return {epsilon + kept.shift, kept.interval};
    if (high - low < 0.01 * high || (tilt == high && epsilon > kept.window.reliable_to())) break;
    (epsilon > kept.window.reliable_to() ? low : high) = tilt;
  }
  return best;
}

LossCurve::Answer LossCurve::epsilon(double delta, Rounding rounding, Fft& fft) {
  try {
    return epsilon_on_grid(delta, rounding, fft);
  } catch (const base::Unsupported&) {
    if (options_.interval > 0 || rounding == Rounding::nearest) throw;
    return {rounding == Rounding::optimistic ? -infinity : infinity, 0};
  }
}

LossCurve::Answer LossCurve::delta(double epsilon, Rounding rounding, Fft& fft) {
  try {
    return delta_on_grid(epsilon, rounding, fft);
  } catch (const base::Unsupported&) {
    if (options_.interval > 0 || rounding == Rounding::nearest) throw;
    return {rounding == Rounding::optimistic ? 0.0 : 1.0, 0};
  }
}

LossCurve::Answer LossCurve::epsilon_on_grid(double delta, Rounding rounding, Fft& fft) {
  for (const auto& kept : kept_) {
    if (kept.rounding != rounding || kept.wraps || std::log(delta) < kept.log_delta) continue;
    const double epsilon = kept.window.epsilon(delta);
    const bool fine = options_.interval > 0 || !(epsilon > 0) || kept.interval < 1.5 * interval_for(kept.window, epsilon);
    if (fine && kept.window.reliable_at(epsilon)) return {epsilon + kept.shift, kept.interval};
  }
  Question question{std::log(delta), moments(log_tail(std::log(delta)))};
  question.tilt = question.moments.tilt_for_delta(question.log_delta);
  auto answer = search(question, delta, rounding, fft);
  for (int finer = 0; finer < 3 && options_.interval == 0; ++finer) {
    const auto& window = kept_.back().window;
    const double reached = window.epsilon(delta);
    // A wrapped window knows no slope: be a good deal finer, once.
    if (kept_.back().wraps && finer > 0) break;
    const double wanted = kept_.back().wraps ? kept_.back().interval / 8 : reached > 0 ? interval_for(window, reached) : infinity;
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
    if (kept.rounding != rounding || kept.wraps || !kept.window.reliable_at(epsilon - kept.shift)) continue;
    const double delta = kept.window.delta(epsilon - kept.shift);
    if (std::log(delta) >= kept.log_delta) return {delta, kept.interval};
  }
  Answer answer{1, 0};
  double log_delta = 0;
  for (int round = 0; round < 4; ++round) {  // which losses matter depends on the answer
    Question question{log_delta, moments(log_tail(log_delta))};
    question.tilt = question.moments.tilt_for_epsilon(epsilon);
    question.log_delta = std::min(log_delta, question.moments.at(question.tilt).value - question.tilt * epsilon);
    const auto* kept = &compose(question, gentle(question.moments, question.tilt), rounding, fft);
    if (!kept->window.reliable_at(epsilon - kept->shift)) kept = &compose(question, question.tilt, rounding, fft);
    if (kept->wraps) return {0, kept->interval};
    answer = {kept->window.delta(epsilon - kept->shift), kept->interval};
    const double found = std::log(std::max(answer.value, 1e-300));
    if (found > question.log_delta - 9) break;
    log_delta = found;
  }
  return answer;
}

}  // namespace ghostgrad::privacy
