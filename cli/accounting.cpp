// SPDX-License-Identifier: Apache-2.0
#include "cli/accounting.h"

#include "cli/output.h"
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/event_json.h"

namespace ghostgrad::cli {
namespace {

privacy::Event read_event(const std::string& name) {
  std::ifstream file(name);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw base::InvalidArgument("event", "the file cannot be read", name, "pass a file with an event in JSON");
  return privacy::parse_event(text.str());
}

}  // namespace

void add_run_options(CLI::App& app, RunOptions& options) {
  app.add_option("--noise-multiplier", options.noise_multiplier, "sigma: the noise has standard deviation sigma C");
  app.add_option("--sample-rate", options.sample_rate, "q: the probability with which each example is drawn, batch size / data set size");
  app.add_option("--steps", options.steps, "releases, one per logical batch")->check(wrong_count);
}

std::string wrong_count(const std::string& text) {
  std::int64_t count = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool whole = wrong == std::errc() && end == text.data() + text.size();
  return whole ? "" : "must be an integer below 2^63, but got " + text;
}

void add_event_option(CLI::App& app, RunOptions& options) {
  app.add_option("--event", options.event_file, "a file with any events in JSON, instead of these three; see docs/accounting.md");
}

void add_accountant_option(CLI::App& app, AccountantOptions& options) {
  app.add_option("--accountant", options.name,
                 names_of(privacy::accountants()) + " (if not given: pld, or rdp for events that pld does not serve)");
}

void add_adjacency_option(CLI::App& app, AccountantOptions& options) {
  app.add_option("--adjacency", options.adjacency, "which data sets are neighbours: add_remove, replace_one or zero_out")
      ->capture_default_str();
}

template <class Number>
Number wanted(const std::optional<Number>& number, const std::string& flag) {
  if (number) return *number;
  throw base::InvalidArgument("command line", flag + " is missing", "", "pass it; see `ghostgrad COMMAND --help`");
}
template double wanted(const std::optional<double>& number, const std::string& flag);
template std::int64_t wanted(const std::optional<std::int64_t>& number, const std::string& flag);

void refuse_given(bool given, const std::string& flag, const std::string& why) {
  if (given) throw base::InvalidArgument("command line", fmt::format("{} {}", flag, why), "", "leave it out");
}

privacy::Event event_of(const RunOptions& run, std::int64_t steps) {
  const double noise = wanted(run.noise_multiplier, "--noise-multiplier");
  return privacy::repeated(privacy::poisson_sampled(wanted(run.sample_rate, "--sample-rate"), privacy::gaussian(noise)), steps);
}

privacy::Event event_of(const RunOptions& run) {
  if (run.event_file.empty()) return event_of(run, wanted(run.steps, "--steps"));
  const std::string why = "and --event exclude one another";
  refuse_given(run.noise_multiplier.has_value(), "--noise-multiplier", why);
  refuse_given(run.sample_rate.has_value(), "--sample-rate", why);
  refuse_given(run.steps.has_value(), "--steps", why);
  return read_event(run.event_file);
}

nlohmann::ordered_json to_json(const RunOptions& run) {
  if (!run.event_file.empty()) return {{"event", privacy::to_text(event_of(run))}};
  return {{"noise_multiplier", *run.noise_multiplier}, {"sample_rate", *run.sample_rate}, {"steps", *run.steps}};
}

void name_usual(AccountantOptions& options, const privacy::Event& event) {
  if (options.name.empty()) options.name = privacy::usual_accountant(event, privacy::adjacency_named(options.adjacency));
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
