// SPDX-License-Identifier: Apache-2.0
// ghostgrad compare: every accountant's answer for the same training, how far apart they are, and which of them are guarantees.
#include "cli/accounting.h"
#include "cli/accounting_plot.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"
#include <algorithm>
#include <ctime>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::cli {
namespace {

struct Answer {
  AccountantOptions by;
  std::optional<privacy::Bound> bound{};  // empty: refused
  std::string refusal{};
  double milliseconds;  // of processor time, the least of all rounds
};

/// The least epsilon that is guaranteed: what the others are measured by.
double least_guaranteed(const std::vector<Answer>& answers) {
  double least = std::numeric_limits<double>::infinity();
  for (const auto& answer : answers) {
    if (answer.bound && !answer.bound->is_approximation) least = std::min(least, answer.bound->value);
  }
  return least;
}

class Compare : public Command {
 public:
  explicit Compare(CLI::App& app) {
    add_run_options(app, run_);
    add_event_option(app, run_);
    app.add_option("--delta", delta_, "the delta that every accountant is asked for")->capture_default_str();
    app.add_option("--accountant", names_, names_of(privacy::accountants()) + "; may be repeated (default: all)");
    add_adjacency_option(app, common_);
    app.add_option("--rounds", rounds_, "time each accountant this often, and report its least processor time")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option("--plot", plot_, "draw delta for each epsilon, and epsilon for each step, into this SVG file");
    add_json_flag(app, json_);
  }

  int run() override {
    const auto event = event_of(run_);
    std::vector<Answer> answers;
    for (const auto& name : asked()) answers.push_back(ask(name, event));
    if (!plot_.empty()) write_plot(plot_, plotted(answers));
    if (json_) {
      print_json(as_json(answers));
    } else {
      print(answers, event);
    }
    return kDone;
  }

 private:
  [[nodiscard]] std::vector<std::string> asked() const {
    std::vector<std::string> all;
    for (const auto& row : privacy::accountants()) all.emplace_back(row.name);
    return names_.empty() ? all : names_;
  }

  /// Making the accountant, composing and converting, each round afresh.
  [[nodiscard]] Answer ask(const std::string& name, const privacy::Event& event) const {
    Answer answer{.by = {name, common_.adjacency}, .milliseconds = std::numeric_limits<double>::infinity()};
    try {
      for (int round = 0; round < rounds_; ++round) {
        const std::clock_t start = std::clock();
        const auto accountant = make_accountant(answer.by);
        accountant->compose(event);
        answer.bound = accountant->epsilon(delta_);
        answer.milliseconds = std::min(answer.milliseconds, 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
      }
    } catch (const base::Unsupported& refused) {
      answer.refusal = refused.what();
    }
    return answer;
  }

  [[nodiscard]] PlottedRun plotted(const std::vector<Answer>& answers) const {
    PlottedRun all{run_, delta_, {}};
    for (const auto& answer : answers) {
      if (answer.bound) all.accountants.push_back(answer.by);
    }
    return all;
  }

  [[nodiscard]] nlohmann::ordered_json as_json(const std::vector<Answer>& answers) const {
    const double least = least_guaranteed(answers);
    nlohmann::ordered_json json{{"delta", delta_}};
    json.update(to_json(run_));
    json["adjacency"] = common_.adjacency;
    json["accountants"] = nlohmann::ordered_json::array();
    for (const auto& [by, bound, refusal, milliseconds] : answers) {
      nlohmann::ordered_json row{{"accountant", by.name}, {"supported", bound.has_value()}};
      if (bound) {
        row.update({{"epsilon", finite_or_text(bound->value)},
                    {"is_guarantee", !bound->is_approximation},
                    {"above_least", finite_or_text(bound->value - least)},
                    {"milliseconds", milliseconds},
                    {"warnings", bound->warnings}});
        if (bound->lower) row["lower"] = finite_or_text(*bound->lower);
        if (bound->estimate) row["estimate"] = finite_or_text(*bound->estimate);
      } else {
        row["refusal"] = refusal;
      }
      json["accountants"].push_back(std::move(row));
    }
    return json;
  }

  void print(const std::vector<Answer>& answers, const privacy::Event& event) const {
    print_fields({{"of", privacy::to_text(event)},
                  {"delta", fmt::to_string(delta_)},
                  {"under", std::string(privacy::in_words(privacy::adjacency_named(common_.adjacency)))}});
    print_text("\n");
    const double least = least_guaranteed(answers);
    const auto digits = [](const std::optional<double>& value) { return value ? fmt::format("{:.6g}", *value) : std::string("-"); };
    std::vector<std::vector<std::string>> rows = {{"accountant", "epsilon", "above least", "at least", "estimate", "time", "guarantee"}};
    std::vector<std::string> warnings;
    for (const auto& [by, bound, refusal, milliseconds] : answers) {
      if (!bound) {
        rows.push_back({by.name, "-", "-", "-", "-", "-", "refused"});
        warnings.push_back(refusal);
        continue;
      }
      const double above = 100 * (bound->value / least - 1);
      rows.push_back({by.name, privacy::rounded_up(bound->value), std::isfinite(above) ? fmt::format("{:+.2f} %", above) : "-",
                      digits(bound->lower), digits(bound->estimate), fmt::format("{:.3g} ms", milliseconds),
                      bound->is_approximation ? "no: an approximation" : "yes"});
      warnings.insert(warnings.end(), bound->warnings.begin(), bound->warnings.end());
    }
    print_table(rows);
    print_warnings(warnings);
  }

  RunOptions run_;
  double delta_ = kUsualDelta;
  std::vector<std::string> names_;
  AccountantOptions common_;
  int rounds_ = 1;
  std::string plot_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_compare(CLI::App& app) { return std::make_unique<Compare>(app); }

}  // namespace ghostgrad::cli
