// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/monotone_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ghostgrad::privacy {
namespace {

constexpr double tolerance = 1e-9;  // of the logarithm of the unknown

/// A point that was asked. Along `place` answers fall: it is ln x, or -ln x on an axis that is good when small.
struct Point {
  double place;
  double excess;  // ln(answer / target), kept finite; <= 0 means good
  Answer asked;
};

class Search {
 public:
  Search(const Axis& axis, double target, const std::function<Bound(double)>& question)
      : axis_(axis), target_(target), question_(question) {}

  Boundary run();

 private:
  [[nodiscard]] double place_of(double x) const { return axis_.good_when_large ? std::log(x) : -std::log(x); }
  [[nodiscard]] double at(double place) const;
  Point ask(double x);
  Point walk(Point& from);
  void narrow(Point& bad, Point& good);
  [[nodiscard]] bool narrow_enough(const Point& bad, const Point& good) const;
  [[nodiscard]] double between(const Point& bad, const Point& good, double place) const;

  const Axis& axis_;
  double target_;
  const std::function<Bound(double)>& question_;
  int questions_ = 0;
};

double Search::at(double place) const {
  const double x = std::exp(axis_.good_when_large ? place : -place);
  return std::clamp(axis_.integral ? std::round(x) : x, axis_.least, axis_.most);
}

Point Search::ask(double x) {
  ++questions_;
  auto answer = question_(x);
  double excess = std::log(answer.value / target_);
  if (std::isnan(excess)) excess = 50;
  excess = std::clamp(excess, -50.0, 50.0);
  if (!(answer.value <= target_)) excess = std::max(excess, 1e-300);
  return {place_of(x), excess, {x, std::move(answer)}};
}

/// From one side of the boundary to the first point on the other, or to the end of the axis. `from` becomes the last point before.
Point Search::walk(Point& from) {
  const bool was_good = from.excess <= 0;
  const double end = was_good == axis_.good_when_large ? axis_.least : axis_.most;
  Point here = from;
  // epsilon is roughly a power of the unknown, so this often arrives at once.
  for (double step = std::clamp(1.5 * std::abs(here.excess), 0.05, 4.0); (here.excess <= 0) == was_good; step *= 2) {
    from = here;
    if (here.asked.at == end) return here;
    double x = at(was_good ? here.place - step : here.place + step);
    if (x == here.asked.at) x += end > x ? 1 : -1;  // only integers round back to where they were
    here = ask(x);
  }
  return here;
}

bool Search::narrow_enough(const Point& bad, const Point& good) const {
  if (axis_.integral) return std::abs(good.asked.at - bad.asked.at) <= 1;
  return std::abs(good.place - bad.place) <= tolerance;
}

double Search::between(const Point& bad, const Point& good, double place) const {
  const double x = at(place);
  if (!axis_.integral) return x;
  const auto [low, high] = std::minmax(bad.asked.at, good.asked.at);
  return std::clamp(x, low + 1, high - 1);
}

/// Chandrupatla's method: `newest` and `opposite` enclose the boundary, `previous` is the point that `newest` replaced.
void Search::narrow(Point& bad, Point& good) {
  Point newest = bad;
  Point opposite = good;
  double fraction = bad.excess / (bad.excess - good.excess);
  while (!narrow_enough(newest, opposite) && questions_ < max_questions) {
    const double width = opposite.place - newest.place;
    const double margin = std::min(0.5, 0.5 * tolerance / std::abs(width));
    Point previous = newest;
    Point asked = ask(between(newest, opposite, newest.place + std::clamp(fraction, margin, 1 - margin) * width));
    if ((asked.excess <= 0) != (newest.excess <= 0)) previous = std::exchange(opposite, newest);
    newest = std::move(asked);
    const double xi = (newest.place - opposite.place) / (previous.place - opposite.place);
    const double phi = (newest.excess - opposite.excess) / (previous.excess - opposite.excess);
    fraction = 0.5;
    if (phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi) {
      const double linear = newest.excess / (opposite.excess - newest.excess) * previous.excess / (opposite.excess - previous.excess);
      const double stretch = (previous.place - newest.place) / (opposite.place - newest.place);
      const double quadratic = newest.excess / (previous.excess - newest.excess) * opposite.excess / (previous.excess - opposite.excess);
      fraction = linear + stretch * quadratic;
    }
  }
  const bool newest_is_good = newest.excess <= 0;
  bad = newest_is_good ? opposite : newest;
  good = newest_is_good ? newest : opposite;
}

Boundary Search::run() {
  Point first = ask(axis_.start);
  Point second = walk(first);
  const bool first_is_good = first.excess <= 0;
  if ((second.excess <= 0) == first_is_good) {  // the end of the axis, and still on the same side
    if (first_is_good) return {second.asked, {}, questions_};
    return {{}, second.asked, questions_};
  }
  Point& bad = first_is_good ? second : first;
  Point& good = first_is_good ? first : second;
  narrow(bad, good);
  return {good.asked, bad.asked, questions_};
}

}  // namespace

Boundary find_boundary(const Axis& axis, double target, const std::function<Bound(double)>& question) {
  return Search(axis, target, question).run();
}

}  // namespace ghostgrad::privacy
