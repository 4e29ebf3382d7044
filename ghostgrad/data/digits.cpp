// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/data/glyphs.h"
#include "ghostgrad/data/images.h"

namespace ghostgrad::data {
namespace {

constexpr int kSide = 28;
constexpr int kPieces = 5;         // straight pieces between two control points
constexpr double kGlyphSide = 19;  // pixels that an undistorted digit is high and wide
using Canvas = std::array<float, kSide * kSide>;

// The standard's own distributions differ between libraries; these do not.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  double uniform(double low, double high) { return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53; }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(uniform(0, static_cast<double>(bound))); }
  double normal(double deviation) {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(0, 1)));
    return deviation * radius * std::cos(uniform(0, 2 * std::numbers::pi));
  }

 private:
  std::mt19937_64 engine_;
};

// Unit square -> pixels: shear, scale, rotate, move.
struct Affine {
  double xx, xy, yx, yy, x, y;
  [[nodiscard]] Point operator()(Point p) const {
    const double u = p.x - 0.5, v = p.y - 0.5;
    return {xx * u + xy * v + x, yx * u + yy * v + y};
  }
};

Affine random_affine(Dice& dice) {
  const double angle = dice.normal(0.14), shear = dice.normal(0.15);
  const double wide = kGlyphSide * dice.uniform(0.7, 1.1), high = kGlyphSide * dice.uniform(0.8, 1.1);
  const double c = std::cos(angle), s = std::sin(angle);
  const double centre = 0.5 * (kSide - 1);
  return {c * wide, (c * shear - s) * high, s * wide, (s * shear + c) * high, centre + dice.uniform(-2, 2), centre + dice.uniform(-2, 2)};
}

double distance(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length2 = std::max(dx * dx + dy * dy, 1e-12);
  const double t = std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length2, 0.0, 1.0);
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

// Ink falls from 1 to 0 over one pixel at the edge of a pen of that width.
void draw_line(Canvas& canvas, Point a, Point b, double pen) {
  const double reach = 0.5 * pen + 0.5;
  const auto low = [&](double u, double v) { return std::max(0, static_cast<int>(std::ceil(std::min(u, v) - reach))); };
  const auto high = [&](double u, double v) { return std::min(kSide - 1, static_cast<int>(std::floor(std::max(u, v) + reach))); };
  for (int row = low(a.y, b.y); row <= high(a.y, b.y); ++row) {
    for (int column = low(a.x, b.x); column <= high(a.x, b.x); ++column) {
      const double ink = std::clamp(reach - distance({double(column), double(row)}, a, b), 0.0, 1.0);
      auto& pixel = canvas[static_cast<std::size_t>(row * kSide + column)];
      pixel = std::max(pixel, static_cast<float>(ink));
    }
  }
}

void draw_stroke(Canvas& canvas, const Stroke& stroke, double pen) {
  const auto curve = smooth(stroke, kPieces);
  for (std::size_t i = 1; i < curve.size(); ++i) draw_line(canvas, curve[i - 1], curve[i], pen);
}

Stroke jittered(Stroke stroke, const Affine& affine, Dice& dice) {
  for (auto& point : stroke) point = affine({point.x + dice.normal(0.035), point.y + dice.normal(0.035)});
  return stroke;
}

// A short mark anywhere: what is on the page beside the digit.
Stroke stray_mark(Dice& dice) {
  const Point start{dice.uniform(0, kSide), dice.uniform(0, kSide)};
  return {start, {start.x + dice.normal(3), start.y + dice.normal(3)}};
}

void draw_digit(uint8_t* pixels, int64_t digit, Dice& dice) {
  Canvas canvas{};
  const auto& glyphs = glyphs_of(digit);
  const auto affine = random_affine(dice);
  const double pen = dice.uniform(1.6, 3.2);
  for (const auto& stroke : glyphs[dice.below(glyphs.size())]) draw_stroke(canvas, jittered(stroke, affine, dice), pen);
  if (dice.uniform(0, 1) < 0.4) draw_stroke(canvas, stray_mark(dice), pen);
  const double contrast = dice.uniform(0.7, 1.0);
  for (std::size_t i = 0; i < canvas.size(); ++i) {
    pixels[i] = static_cast<uint8_t>(std::lround(255 * std::clamp(contrast * canvas[i] + dice.normal(0.07), 0.0, 1.0)));
  }
}

Dataset draw(int64_t count, uint64_t seed, const std::string& name) {
  Dice dice(seed);
  const auto pixels = at::empty({count, 1, kSide, kSide}, at::kByte);
  const auto targets = at::empty({count}, at::kLong);
  for (int64_t i = 0; i < count; ++i) {
    const auto digit = static_cast<int64_t>(dice.below(10));
    targets.mutable_data_ptr<int64_t>()[i] = digit;
    draw_digit(pixels.mutable_data_ptr<uint8_t>() + i * kSide * kSide, digit, dice);
  }
  return {normalise(pixels, {{0.13}, {0.26}}), targets, 10, name};
}

}  // namespace

Split digits(const DigitsOptions& options) {
  for (const auto count : {options.train, options.test}) {
    if (count < 1)
      throw base::InvalidArgument("digits", "must hold at least one training and one test example", fmt::to_string(count),
                                  "ask for 1 or more");
  }
  return {draw(options.train, 2 * options.seed, "digits/train"), draw(options.test, 2 * options.seed + 1, "digits/test")};
}

}  // namespace ghostgrad::data
