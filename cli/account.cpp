// SPDX-License-Identifier: Apache-2.0
// ghostgrad account: what training spends, and what that means.
#include "cli/accounting.h"
#include "cli/accounting_plot.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"
#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/attacker.h"
#include "ghostgrad/privacy/curve.h"
#include "ghostgrad/privacy/equivalent_mu.h"
#include "ghostgrad/privacy/group.h"
#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::cli {
namespace {

/// All that `account` says.
struct Report {
  double epsilon;
  double delta;
  privacy::Bound bound{};  // of the one that was asked for
  privacy::AttackerLimits attacker{};
  double mu = 0;
  std::vector<privacy::GroupBound> group{};
  std::vector<privacy::CurvePoint> curve{};
};

std::vector<std::vector<std::string>> table_of(const std::vector<privacy::CurvePoint>& curve) {
  std::vector<std::vector<std::string>> rows = {{"epsilon", "delta"}};
  for (const auto& point : curve) rows.push_back({fmt::format("{:.6g}", point.epsilon), privacy::rounded_up(point.delta)});
  return rows;
}

class Account : public Command {
 public:
  explicit Account(CLI::App& app) {
    add_run_options(app, run_);
    add_event_option(app, run_);
    app.add_option("--delta", delta_, "print the epsilon for this delta (1e-5 if --epsilon is not given either)");
    app.add_option("--epsilon", epsilon_, "print the delta for this epsilon instead");
    add_accountant_option(app, accountant_);
    add_adjacency_option(app, accountant_);
    app.add_option("--false-positive-rate", false_positive_rate_,
                   "how often an attacker may accuse wrongly, for the bound on finding members")
        ->capture_default_str();
    app.add_option("--group", group_, "also the epsilon for this many examples at once, say all of one person")->check(wrong_count);
    app.add_option("--curve", curve_, "also delta for this many epsilons")->check(CLI::Range(2, 10000));
    app.add_option("--plot", plot_, "draw delta for each epsilon, and epsilon for each step, into this SVG file");
    add_json_flag(app, json_);
  }

  int run() override {
    if (epsilon_ && delta_) throw base::InvalidArgument("epsilon", "and delta exclude one another", "both", "pass the one that is known");
    const auto event = event_of(run_);
    name_usual(accountant_, event);
    const auto report = report_on(event);
    if (!plot_.empty()) write_plot(plot_, {run_, delta_.value_or(kUsualDelta), {accountant_}});
    if (json_) {
      print_json(as_json(report));
    } else {
      print(report, event);
    }
    return kDone;
  }

 private:
  [[nodiscard]] Report report_on(const privacy::Event& event) const {
    const auto accountant = make_accountant(accountant_);
    accountant->compose(event);
    Report report{.epsilon = epsilon_.value_or(0), .delta = delta_.value_or(kUsualDelta)};
    report.bound = epsilon_ ? accountant->delta(*epsilon_) : accountant->epsilon(report.delta);
    (epsilon_ ? report.delta : report.epsilon) = report.bound.value;
    report.attacker = privacy::attacker_limits(*accountant, false_positive_rate_);
    report.mu = privacy::equivalent_mu(privacy::delta_of(*accountant), report.epsilon);
    if (group_) {
      const auto delta = std::clamp(report.delta, 1e-300, std::nextafter(1.0, 0.0));
      report.group = privacy::group_bounds(event, {*group_, delta}, [this] { return make_accountant(accountant_); });
    }
    if (curve_) report.curve = privacy::even_curve(privacy::delta_of(*accountant), 1.5 * finite(report.epsilon), *curve_);
    return report;
  }

  static double finite(double epsilon) { return std::isfinite(epsilon) ? epsilon : 10; }

  [[nodiscard]] nlohmann::ordered_json as_json(const Report& report) const {
    nlohmann::ordered_json json{{"epsilon", finite_or_text(report.epsilon)},
                                {"delta", report.delta},
                                {"is_guarantee", !report.bound.is_approximation && std::isfinite(report.epsilon)}};
    if (report.bound.lower) json["lower"] = finite_or_text(*report.bound.lower);
    if (report.bound.estimate) json["estimate"] = finite_or_text(*report.bound.estimate);
    json.update(to_json(run_));
    json["accountant"] = accountant_.name;
    json["adjacency"] = accountant_.adjacency;
    json["attacker"] = privacy::to_json(report.attacker);
    json["equivalent_mu"] = finite_or_text(report.mu);
    if (group_)
      json["group"] = {{"size", *group_}, {"epsilon", finite_or_text(report.group.front().epsilon)}, {"by", report.group.front().by}};
    for (const auto& point : report.curve) json["curve"].push_back({{"epsilon", point.epsilon}, {"delta", point.delta}});
    json["warnings"] = report.bound.warnings;
    return json;
  }

  void print(const Report& report, const privacy::Event& event) const {
    const auto rounded = [](double value, bool asked) { return asked ? fmt::to_string(value) : privacy::rounded_up(value); };
    std::vector<std::pair<std::string, std::string>> fields = {{"epsilon", rounded(report.epsilon, epsilon_.has_value())},
                                                               {"delta", rounded(report.delta, !epsilon_)}};
    if (report.bound.is_approximation) fields.emplace_back("kind", "an approximation, not a guarantee");
    if (report.bound.estimate) fields.emplace_back("estimate", fmt::format("{:.6g}", *report.bound.estimate));
    if (report.bound.lower) fields.emplace_back("at least", fmt::format("{:.6g}", *report.bound.lower));
    fields.emplace_back("of", privacy::to_text(event));
    fields.emplace_back("under", in_words(accountant_));
    if (std::isfinite(report.mu))
      fields.emplace_back("about", fmt::format("{:.4g}-Gaussian differential privacy, as far as this epsilon", report.mu));
    if (group_) {
      const auto& best = report.group.front();
      fields.emplace_back(fmt::format("{} examples", *group_), fmt::format("epsilon {} ({})", privacy::rounded_up(best.epsilon), best.by));
    }
    print_fields(fields);
    print_text("\n" + privacy::in_plain_words(report.attacker) + "\n");
    if (!report.curve.empty()) {
      print_text("\n");
      print_table(table_of(report.curve));
    }
    print_warnings(report.bound.warnings);
  }

  RunOptions run_;
  std::optional<double> delta_, epsilon_;
  AccountantOptions accountant_;
  double false_positive_rate_ = 1e-3;
  std::optional<std::int64_t> group_;
  std::optional<int> curve_;
  std::string plot_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_account(CLI::App& app) { return std::make_unique<Account>(app); }

}  // namespace ghostgrad::cli
