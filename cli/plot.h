// SPDX-License-Identifier: Apache-2.0
// Line plots as SVG text: panels side by side, each with axes, ticks and a legend. No dependency, no script, no font of its own.
//
//     const Panel panel{.title = "delta for each epsilon", .x = {"epsilon"}, .y = {"delta", true}, .lines = {{"pld", points}}};
//     write_plot("curve.svg", {panel});
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ghostgrad::cli {

struct PlotAxis {
  std::string label;
  bool logarithmic = false;
};

struct PlotLine {
  std::string name;
  std::vector<std::pair<double, double>> points{};  // what is not finite, or not positive on a logarithmic axis, is left out
  bool dashed = false;
};

struct Panel {
  std::string title;
  PlotAxis x;
  PlotAxis y;
  std::vector<PlotLine> lines{};
};

/// The values on an axis from `low` to `high` that get a tick and a number: about `wanted` of them, at 1, 2 or 5 times a power of ten,
/// or at powers of ten.
[[nodiscard]] std::vector<double> ticks(double low, double high, bool logarithmic, int wanted = 6);

[[nodiscard]] std::string to_svg(const std::vector<Panel>& panels);

/// Throws base::SystemError when the file cannot be written.
void write_plot(const std::string& file, const std::vector<Panel>& panels);

}  // namespace ghostgrad::cli
