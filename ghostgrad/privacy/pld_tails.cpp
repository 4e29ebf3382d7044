// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/pld_tails.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

namespace ghostgrad::privacy {
namespace {

constexpr double rounding = std::numeric_limits<double>::epsilon();
constexpr double reliable_errors = 1e6;

double sign_of(Side side) { return side == Side::neither ? 0 : side == Side::upper ? 1 : -1; }

/// 1 - e^(-decay + i theta), without differences.
std::complex<double> one_less(double decay, double theta) {
  const double keep = std::exp(-decay);
  const double half = std::sin(theta / 2);
  return {-std::expm1(-decay) + 2 * keep * half * half, -keep * std::sin(theta)};
}

/// 1 + e^-decay + ... : so many terms.
double geometric(double decay, double terms) { return decay > 0 ? std::expm1(-decay * terms) / std::expm1(-decay) : terms; }

/// e^(2 pi i times / size), also where times is large; size is a power of two.
std::complex<double> root_of_unity(std::uint64_t times, std::uint64_t size) {
  const double turns = static_cast<double>(times & (size - 1)) / static_cast<double>(size);
  return std::polar(1.0, 2 * std::numbers::pi * turns);
}

}  // namespace

GridTails::GridTails(const std::vector<double>& tilted, const TailScale& scale) : tails_(tilted.size()) {
  const double error_size = *std::ranges::max_element(tilted) * rounding * (16 + 4 * scale.releases);
  const double error = sign_of(scale.side) * error_size;
  const double decay = std::exp(-scale.decay);
  const double keep = decay * std::exp(-scale.step);
  const double lose = decay * -std::expm1(-scale.step);
  Tail tail{0, 0};
  for (std::size_t i = tilted.size(); i-- > 0;) {  // delta(x_i) = e^-h delta(x_{i+1}) + (1 - e^-h) P(L > x_i): no differences
    tail.delta = keep * tail.delta + lose * tail.reach;
    tail.reach = decay * tail.reach + std::max(tilted[i] + error, 0.0);
    tails_[i] = tail;
  }
  const auto reliable = [&](double each) { return each > reliable_errors * error_size; };
  const auto first = std::ranges::find_if(tilted, reliable);
  if (first == tilted.end()) return;
  const auto last = std::find_if(tilted.rbegin(), tilted.rend(), reliable);
  reliable_ = {static_cast<std::size_t>(first - tilted.begin()), static_cast<std::size_t>(tilted.rend() - last) - 1};
}

BandTails::BandTails(const Spectrum& spectrum, const Circle& circle, Fft& fft)
    : size_(circle.size),
      first_(static_cast<std::uint64_t>(circle.first) & (circle.size - 1)),
      decay_(circle.scale.decay),
      step_(circle.scale.step),
      level_(1 / static_cast<double>(circle.size)) {
  const auto points = static_cast<double>(size_);
  double peak = level_;
  for (std::size_t k = 1; k < spectrum.size(); ++k) {
    const double theta = 2 * std::numbers::pi * static_cast<double>(k) / points;
    const auto reach = 2 / points * spectrum[k] / one_less(decay_, theta);  // 2: together with the frequency -k
    const auto lost = std::polar(-std::expm1(-step_) * std::exp(-decay_), theta);
    terms_.push_back({reach, reach * lost / one_less(decay_ + step_, theta)});
    peak += 2 / points * std::abs(spectrum[k]);
    error_.reach += std::abs(terms_.back().reach);
    error_.delta += std::abs(terms_.back().delta);
  }
  // Frequency 0 is exact; of the others those of one release are right to 6 roundings (4.5 were seen), and 64 cover the sums. Twice, for
  // both ends; of the reach at the window's end at most e^-decay m (1 - e^-step m) counts, for any m.
  const double share = rounding * (64 + 6 * circle.scale.releases);
  find_reliable(spectrum, reliable_errors * share * peak, fft);
  const double signed_share = sign_of(circle.scale.side) * share;
  error_ = {signed_share * 2 * error_.reach, signed_share * (2 * error_.delta + error_.reach * step_ / (decay_ + step_))};
  end_ = circular(first_);
}

/// f on a grid of four points per period of the highest frequency.
void BandTails::find_reliable(const Spectrum& spectrum, double least, Fft& fft) {
  const auto samples = std::min<std::uint64_t>(std::bit_ceil(4 * spectrum.size()), size_);
  Spectrum padded(samples / 2 + 1);
  std::ranges::copy(spectrum, padded.begin());
  std::vector<double> values;
  fft.backward(padded, values);
  const double scale = static_cast<double>(samples) / static_cast<double>(size_);
  reliable_ = {size_, 0};
  for (std::uint64_t i = 0; i < samples; ++i) {
    if (!(values[i] * scale > least)) continue;
    const std::uint64_t point = (i * (size_ / samples) - first_) & (size_ - 1);
    reliable_ = {std::min(reliable_.first, point), std::max(reliable_.last, point)};
  }
}

/// The tails from this place of the circle on, round and round, but for frequency 0.
Tail BandTails::circular(std::uint64_t place) const {
  constexpr std::size_t block = 32;  // turns that are multiplied up before the next is taken afresh
  const auto turn = root_of_unity(place, size_);
  Tail sum{0, 0};
  for (std::size_t from = 0; from < terms_.size(); from += block) {
    auto phase = root_of_unity((from + 1) * place, size_);
    const std::size_t to = std::min(from + block, terms_.size());
    for (std::size_t k = from; k < to; ++k) {
      const auto& [reach, delta] = terms_[k];
      sum.reach += reach.real() * phase.real() - reach.imag() * phase.imag();
      sum.delta += delta.real() * phase.real() - delta.imag() * phase.imag();
      phase = {phase.real() * turn.real() - phase.imag() * turn.imag(), phase.real() * turn.imag() + phase.imag() * turn.real()};
    }
  }
  return sum;
}

Tail BandTails::at(std::size_t point) const {
  const auto left = static_cast<double>(size_ - point);
  const auto [reach, delta] = circular(first_ + point);
  const double keep = std::exp(-decay_ * left);
  const double keep_less = keep * -std::expm1(-step_ * left);
  const double all = geometric(decay_, left);
  // The endless tails less those from the window's end on, whose losses are larger by what lies between.
  const double end_less = end_.delta * keep * std::exp(-step_ * left) + end_.reach * keep_less;
  const double level_less = all - geometric(decay_ + step_, left);
  return {std::max(level_ * all + reach - keep * end_.reach + error_.reach, 0.0),
          std::max(level_ * level_less + delta - end_less + error_.delta, 0.0)};
}

}  // namespace ghostgrad::privacy
