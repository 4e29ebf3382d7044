// SPDX-License-Identifier: Apache-2.0
#include "cli/accounting_plot.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ghostgrad/privacy/curve.h"

namespace ghostgrad::cli {
namespace {

constexpr double least_delta = 1e-16;  // below, curves only stretch the plot
constexpr int points_of_curve = 60;
constexpr int points_of_steps = 16;

std::unique_ptr<privacy::Accountant> composed(const AccountantOptions& options, const privacy::Event& event) {
  auto accountant = make_accountant(options);
  accountant->compose(event);
  return accountant;
}

}  // namespace

Panel delta_panel(const PlottedRun& plotted) {
  Panel panel{.title = "delta for each epsilon", .x = {"epsilon"}, .y = {"delta", true}};
  const auto event = event_of(plotted.run);
  std::vector<std::unique_ptr<privacy::Accountant>> accountants;
  double last = 0;
  for (const auto& options : plotted.accountants) {
    const auto bound = accountants.emplace_back(composed(options, event))->epsilon(plotted.delta);
    panel.lines.push_back({.name = options.name, .dashed = bound.is_approximation});
    if (std::isfinite(bound.value)) last = std::max(last, 1.5 * bound.value);
  }
  for (size_t i = 0; i < accountants.size(); ++i) {
    for (const auto& point : privacy::even_curve(privacy::delta_of(*accountants[i]), last, points_of_curve)) {
      if (point.delta >= least_delta) panel.lines[i].points.emplace_back(point.epsilon, point.delta);
    }
  }
  return panel;
}

Panel steps_panel(const PlottedRun& plotted) {
  Panel panel{.title = fmt::format("epsilon at delta {}", plotted.delta), .x = {"steps"}, .y = {"epsilon"}};
  const auto all = static_cast<double>(*plotted.run.steps);
  if (all == 0) return panel;
  for (const auto& options : plotted.accountants) {
    PlotLine line{.name = options.name};
    for (int i = 0; i <= points_of_steps; ++i) {
      const double share = i / static_cast<double>(points_of_steps);
      const auto steps = std::llround(std::ceil(std::max(1.0, all * share * share)));  // denser where the curve bends
      const auto bound = composed(options, event_of(plotted.run, steps))->epsilon(plotted.delta);
      line.points.emplace_back(static_cast<double>(steps), bound.value);
      line.dashed = line.dashed || bound.is_approximation;
    }
    panel.lines.push_back(std::move(line));
  }
  return panel;
}

void write_plot(const std::string& file, const PlottedRun& plotted) {
  std::vector<Panel> panels = {delta_panel(plotted)};
  if (plotted.run.steps) panels.push_back(steps_panel(plotted));
  write_plot(file, panels);
}

}  // namespace ghostgrad::cli
