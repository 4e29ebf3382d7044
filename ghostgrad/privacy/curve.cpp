// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/curve.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include <boost/math/tools/minima.hpp>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::privacy {
namespace {

constexpr double first_epsilon = 1e-4;
constexpr double last_epsilon = 700;  // e^epsilon is finite up to here
constexpr double growth = 1.3;
constexpr double negligible = 1e-18;  // a delta below this changes no rate that a double can show

std::vector<CurvePoint> geometric_curve(const DeltaOf& delta) {
  std::vector<CurvePoint> points = {{0, delta(0)}};
  for (double epsilon = first_epsilon; epsilon < last_epsilon && points.back().delta > negligible; epsilon *= growth) {
    points.push_back({epsilon, delta(epsilon)});
  }
  return points;
}

double checked_rate(double rate) {
  if (rate >= 0 && rate <= 1) return rate;
  throw base::InvalidArgument("false positive rate", "must lie in [0, 1]", fmt::to_string(rate), "pass a rate such as 0.001");
}

}  // namespace

DeltaOf delta_of(const Accountant& accountant) {
  return [&accountant](double epsilon) { return accountant.delta(epsilon).value; };
}

std::vector<CurvePoint> even_curve(const DeltaOf& delta, double last, int count) {
  std::vector<CurvePoint> points;
  for (int i = 0; i < count; ++i) {
    const double epsilon = last * i / (count - 1);
    points.push_back({epsilon, delta(epsilon)});
  }
  return points;
}

TradeOff::TradeOff(DeltaOf delta) : delta_(std::move(delta)), points_(geometric_curve(delta_)) {}

// Along the exact curve each score has one peak: delta is convex in e^epsilon, so 1 - delta - e^epsilon alpha is concave in it, and the
// other scores are ratios of a concave to a positive linear function of it.
double TradeOff::largest(const Score& score) const {
  const auto peak = std::ranges::max_element(points_, {}, score);
  const auto index = static_cast<std::size_t>(peak - points_.begin());
  const double from = points_[index == 0 ? 0 : index - 1].epsilon;
  const double to = points_[std::min(index + 1, points_.size() - 1)].epsilon;
  constexpr int bits = 26;  // at a peak more digits of epsilon change nothing
  std::uintmax_t steps = 40;
  const auto loss = [&](double epsilon) { return -score({epsilon, delta_(epsilon)}); };
  const auto [epsilon, least] = boost::math::tools::brent_find_minima(loss, from, to, bits, steps);
  return std::max(score(*peak), -least);
}

double TradeOff::false_negative_rate(double alpha) const {
  checked_rate(alpha);
  const double steep = largest([alpha](const CurvePoint& point) { return 1 - point.delta - std::exp(point.epsilon) * alpha; });
  const double flat = largest([alpha](const CurvePoint& point) { return std::exp(-point.epsilon) * (1 - point.delta - alpha); });
  return std::max({0.0, steep, flat});
}

double TradeOff::best_true_positive_rate(double alpha) const { return 1 - false_negative_rate(alpha); }

double TradeOff::best_accuracy() const {
  const auto error = [](const CurvePoint& point) { return (1 - point.delta) / (1 + std::exp(point.epsilon)); };
  return 1 - largest(error);
}

}  // namespace ghostgrad::privacy
