// SPDX-License-Identifier: Apache-2.0
// The upper tails of a tilted distribution f on the points 0 .. size-1 of a window, relative to the weight of the point they begin at:
//
//     reach(i) = sum over j >= i of f_j e^(-decay (j - i)),    delta(i) = sum over j > i of f_j e^(-decay (j - i)) (1 - e^(-step (j - i)))
//
// with decay = tilt * interval, step = interval. Relative weights never overflow, and take no exponential per point.
// What rounding may have done to them is added or taken off: they bound the truth from the side that is asked for.
//
//     GridTails   from f itself, by recursion                     BandTails   from the few frequencies that f is made of, in closed form:
//
//     sum over i <= j < size of r^(j-i) e^(i theta j) = (e^(i theta i) - r^(size-i) e^(i theta size)) / (1 - r e^(i theta))
#pragma once

#include <cstdint>
#include <vector>

#include "ghostgrad/privacy/pld_fft.h"

namespace ghostgrad::privacy {

/// What rounding errors are turned into.
enum class Side { upper, lower, neither };

struct Tail {
  double reach;
  double delta;
};

struct TailScale {
  double decay;
  double step;
  double releases;  // composed: their rounding errors add up
  Side side;
};

/// The circle, of a power of two of points, that a window's are taken round; the window begins at its point `first`.
struct Circle {
  std::size_t size;
  std::int64_t first;
  TailScale scale;
};

class LossTails {
 public:
  virtual ~LossTails() = default;

  [[nodiscard]] virtual Tail at(std::size_t point) const = 0;

  /// The points between which f is 10^6 rounding errors large; first > last where there are none.
  struct Range {
    std::size_t first;
    std::size_t last;
  };
  [[nodiscard]] Range reliable() const { return reliable_; }

 protected:
  Range reliable_{1, 0};
};

class GridTails : public LossTails {
 public:
  GridTails(const std::vector<double>& tilted, const TailScale& scale);

  [[nodiscard]] Tail at(std::size_t point) const override { return tails_[point]; }

 private:
  std::vector<Tail> tails_;
};

/// `spectrum` holds the lowest frequencies of the circle, as Fft::forward gives them; the others are zero, and f adds up to 1.
class BandTails : public LossTails {
 public:
  BandTails(const Spectrum& spectrum, const Circle& circle, Fft& fft);

  [[nodiscard]] Tail at(std::size_t point) const override;

 private:
  struct Pair {
    std::complex<double> reach;
    std::complex<double> delta;
  };

  void find_reliable(const Spectrum& spectrum, double least, Fft& fft);
  [[nodiscard]] Tail circular(std::uint64_t place) const;

  std::uint64_t size_;
  std::uint64_t first_;
  double decay_;
  double step_;
  double level_;             // of frequency 0
  std::vector<Pair> terms_;  // of the frequencies from 1 on: what they add to endless tails
  Tail end_{};               // of the endless tails that begin where the window ends
  Tail error_{};
};

}  // namespace ghostgrad::privacy
