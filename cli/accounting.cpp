// SPDX-License-Identifier: Apache-2.0
#include "cli/accounting.h"

#include "cli/output.h"
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ghostgrad::cli {

void add_run_options(CLI::App& app, RunOptions& options) {
  app.add_option("--sample-rate", options.sample_rate, "q: the probability with which each example is drawn, batch size / data set size")
      ->required();
  app.add_option("--steps", options.steps, "releases, one per logical batch")->required();
}

void add_accountant_options(CLI::App& app, AccountantOptions& options) {
  app.add_option("--accountant", options.name, names_of(privacy::accountants()))->capture_default_str();
  app.add_option("--adjacency", options.adjacency, "which data sets are neighbours: add_remove, replace_one or zero_out")
      ->capture_default_str();
}

privacy::Event event_of(const RunOptions& run, double noise_multiplier) {
  return privacy::repeated(privacy::poisson_sampled(run.sample_rate, privacy::gaussian(noise_multiplier)), run.steps);
}

std::unique_ptr<privacy::Accountant> make_accountant(const AccountantOptions& options) {
  return privacy::make_accountant(options.name, privacy::adjacency_named(options.adjacency));
}

std::string in_words(const AccountantOptions& options) {
  return fmt::format("{}, by the {} accountant", privacy::in_words(privacy::adjacency_named(options.adjacency)), options.name);
}

nlohmann::ordered_json finite_or_text(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json("infinity");
}

}  // namespace ghostgrad::cli
