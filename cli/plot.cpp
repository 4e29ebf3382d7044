// SPDX-License-Identifier: Apache-2.0
#include "cli/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::cli {
namespace {

// Colours that differ for colour-blind eyes too (Okabe and Ito).
constexpr std::array colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

// The drawing area of a panel, in pixels.
constexpr double panel_width = 480;
constexpr double panel_height = 380;
constexpr double left = 70;
constexpr double right = 460;
constexpr double top = 40;
constexpr double bottom = 320;

const char* colour(std::size_t line) { return colours.at(line % colours.size()); }

std::string escaped(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '&') {
      out += "&amp;";
    } else if (letter == '<') {
      out += "&lt;";
    } else if (letter == '>') {
      out += "&gt;";
    } else {
      out += letter;
    }
  }
  return out;
}

/// From values to pixels, along one axis.
class Scale {
 public:
  Scale(const PlotAxis& axis, double from, double to) : logarithmic_(axis.logarithmic), from_(from), to_(to) {}

  [[nodiscard]] bool shows(double value) const { return std::isfinite(value) && (!logarithmic_ || value > 0); }
  void include(double value) {
    if (!shows(value)) return;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  /// Widens to something that can be drawn: linear axes begin at 0 at the latest.
  void finish() {
    if (low_ > high_) low_ = high_ = 1;
    if (!logarithmic_) low_ = std::min(low_, 0.0);
    if (low_ == high_) high_ = logarithmic_ ? 10 * low_ : low_ + 1;
  }
  [[nodiscard]] double pixel(double value) const {
    const double share = logarithmic_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
    return from_ + share * (to_ - from_);
  }
  [[nodiscard]] std::vector<double> ticks() const { return cli::ticks(low_, high_, logarithmic_); }

 private:
  bool logarithmic_;
  double from_, to_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

struct Scales {
  Scale x, y;
};

Scales scales_of(const Panel& panel) {
  Scales scales{{panel.x, left, right}, {panel.y, bottom, top}};
  for (const auto& line : panel.lines) {
    for (const auto& [x, y] : line.points) {
      if (!scales.x.shows(x) || !scales.y.shows(y)) continue;
      scales.x.include(x);
      scales.y.include(y);
    }
  }
  scales.x.finish();
  scales.y.finish();
  return scales;
}

std::string text(double x, double y, const char* anchor, const std::string& what) {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)", x, y, anchor, escaped(what)) + "\n";
}

std::string grid_line(double x1, double y1, double x2, double y2) {
  return fmt::format(R"(<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="#dddddd"/>)", x1, y1, x2, y2) + "\n";
}

std::string axes(const Panel& panel, const Scales& scales) {
  std::string svg;
  for (const double tick : scales.x.ticks()) {
    const double x = scales.x.pixel(tick);
    svg += grid_line(x, top, x, bottom) + text(x, bottom + 18, "middle", fmt::format("{:.4g}", tick));
  }
  for (const double tick : scales.y.ticks()) {
    const double y = scales.y.pixel(tick);
    svg += grid_line(left, y, right, y) + text(left - 6, y + 4, "end", fmt::format("{:.4g}", tick));
  }
  svg += fmt::format(R"(<rect x="{}" y="{}" width="{}" height="{}" fill="none" stroke="black"/>)", left, top, right - left, bottom - top) +
         "\n" + text((left + right) / 2, bottom + 38, "middle", panel.x.label);
  svg += fmt::format(R"svg(<g transform="translate(16 {}) rotate(-90)">)svg", (top + bottom) / 2) + text(0, 0, "middle", panel.y.label) +
         "</g>\n";
  return svg + std::string(R"(<g font-size="15">)") + text((left + right) / 2, top - 14, "middle", panel.title) + "</g>\n";
}

std::string drawn(const PlotLine& line, const Scales& scales, const char* ink) {
  std::string points;
  for (const auto& [x, y] : line.points) {
    if (scales.x.shows(x) && scales.y.shows(y)) points += fmt::format("{:.2f},{:.2f} ", scales.x.pixel(x), scales.y.pixel(y));
  }
  const char* dashes = line.dashed ? R"( stroke-dasharray="6 4")" : "";
  return fmt::format(R"(<polyline points="{}" fill="none" stroke="{}" stroke-width="2"{}/>)", points, ink, dashes) + "\n";
}

std::string legend(const Panel& panel) {
  std::string svg;
  const double step = (right - left) / static_cast<double>(std::max<std::size_t>(panel.lines.size(), 1));
  for (std::size_t i = 0; i < panel.lines.size(); ++i) {
    const double x = left + static_cast<double>(i) * step;
    const char* dashes = panel.lines[i].dashed ? R"( stroke-dasharray="6 4")" : "";
    svg += fmt::format(R"(<line x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}" stroke="{}" stroke-width="2"{}/>)", x, bottom + 52, x + 22,
                       bottom + 52, colour(i), dashes) +
           "\n" + text(x + 27, bottom + 56, "start", panel.lines[i].name);
  }
  return svg;
}

std::string drawn(const Panel& panel) {
  const auto scales = scales_of(panel);
  std::string svg = axes(panel, scales);
  for (std::size_t i = 0; i < panel.lines.size(); ++i) svg += drawn(panel.lines[i], scales, colour(i));
  return svg + legend(panel);
}

}  // namespace

std::vector<double> ticks(double low, double high, bool logarithmic, int wanted) {
  std::vector<double> values;
  if (logarithmic) {
    const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
    const int step = std::max(1, (last - first + wanted) / wanted);
    for (int power = first; power <= last; power += step) values.push_back(std::pow(10.0, power));
    if (values.size() >= 2) return values;
    values.clear();  // within one power of ten
  }
  const double rough = (high - low) / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double step = power * (rough <= 2 * power ? 2 : rough <= 5 * power ? 5 : 10);
  for (double count = std::ceil(low / step - 1e-9); count * step <= high * (1 + 1e-9); ++count)
    values.push_back(count * step + 0.0);  // no -0
  return values;
}

std::string to_svg(const std::vector<Panel>& panels) {
  const double width = panel_width * static_cast<double>(panels.size());
  std::string svg = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" font-family="sans-serif" font-size="12">)"
      "\n"
      R"(<rect width="{0}" height="{1}" fill="white"/>)"
      "\n",
      width, panel_height);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    svg +=
        fmt::format(R"svg(<g transform="translate({} 0)">)svg", panel_width * static_cast<double>(i)) + "\n" + drawn(panels[i]) + "</g>\n";
  }
  return svg + "</svg>\n";
}

void write_plot(const std::string& file, const std::vector<Panel>& panels) {
  std::ofstream out(file);
  out << to_svg(panels);
  out.close();
  if (!out) throw base::SystemError("plot", "cannot write the file", file, "pass a file name in a directory of your own");
}

}  // namespace ghostgrad::cli
