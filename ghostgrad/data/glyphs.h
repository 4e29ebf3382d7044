// SPDX-License-Identifier: Apache-2.0
// How the ten digits are written: strokes as control points in the unit square, x to the right, y downwards.
//
// A stroke is drawn as a Catmull-Rom curve through its points [Catmull74], so corners are where one stroke ends and
// the next begins. Several ways of writing a digit are several glyphs of one class.
#pragma once

#include <cstdint>
#include <vector>

namespace ghostgrad::data {

struct Point {
  double x = 0;
  double y = 0;
};

using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

/// Every way of writing `digit` (0 to 9); at least one.
[[nodiscard]] const std::vector<Glyph>& glyphs_of(int64_t digit);

/// The curve through the points, `pieces` straight pieces between each two.
[[nodiscard]] Stroke smooth(const Stroke& stroke, int pieces);

}  // namespace ghostgrad::data
