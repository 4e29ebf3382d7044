// SPDX-License-Identifier: Apache-2.0
// ghostgrad calibrate: the noise, steps, sample rate or delta that keeps training within a budget.
#include "cli/accounting.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/calibration.h"
#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::cli {
namespace {

struct Findable {
  std::string_view name;
  privacy::Unknown unknown;
};

constexpr std::array findables = {
    Findable{"noise", privacy::Unknown::noise_multiplier},
    Findable{"steps", privacy::Unknown::steps},
    Findable{"sample-rate", privacy::Unknown::sample_rate},
    Findable{"delta", privacy::Unknown::delta},
};

privacy::Unknown unknown_named(const std::string& name) {
  for (const auto& each : findables) {
    if (each.name == name) return each.unknown;
  }
  throw base::InvalidArgument("find", "is not known", name, "pass " + names_of(findables));
}

class Calibrate : public Command {
 public:
  explicit Calibrate(CLI::App& app) {
    app.add_option("--find", find_, names_of(findables) + ": the one that is not given; the others are")->capture_default_str();
    app.add_option("--epsilon", epsilon_, "the epsilon not to exceed")->required();
    app.add_option("--delta", delta_, fmt::format("the delta not to exceed ({} if not given)", kUsualDelta));
    add_run_options(app, run_);
    add_accountant_option(app, accountant_);
    add_adjacency_option(app, accountant_);
    add_json_flag(app, json_);
  }

  int run() override {
    const auto unknown = unknown_named(find_);
    name_usual(accountant_, privacy::poisson_sampled(0.5, privacy::gaussian(1)));  // the kind of event that is calibrated for
    const auto found = privacy::calibrate(unknown, known(unknown), [this] { return make_accountant(accountant_); });
    if (json_) {
      print_json(nlohmann::ordered_json{{"found", find_},
                                        {"noise_multiplier", found.noise_multiplier},
                                        {"sample_rate", found.sample_rate},
                                        {"steps", found.steps},
                                        {"epsilon", found.epsilon},
                                        {"delta", found.delta},
                                        {"is_guarantee", !found.is_approximation},
                                        {"accountant", accountant_.name},
                                        {"adjacency", accountant_.adjacency},
                                        {"warnings", found.warnings}});
    } else {
      print(unknown, found);
    }
    return kDone;
  }

 private:
  /// What is given, without the one that is to be found.
  [[nodiscard]] privacy::TrainingBudget known(privacy::Unknown unknown) const {
    using privacy::Unknown;
    privacy::TrainingBudget budget{.epsilon = epsilon_, .delta = delta_.value_or(kUsualDelta)};
    const auto take = [&](auto& number, const auto& option, Unknown which, const char* flag) {
      if (which == unknown) {
        refuse_given(option.has_value(), flag, "is what is to be found");
      } else {
        number = wanted(option, flag);
      }
    };
    take(budget.noise_multiplier, run_.noise_multiplier, Unknown::noise_multiplier, "--noise-multiplier");
    take(budget.sample_rate, run_.sample_rate, Unknown::sample_rate, "--sample-rate");
    take(budget.steps, run_.steps, Unknown::steps, "--steps");
    refuse_given(unknown == Unknown::delta && delta_, "--delta", "is what is to be found");
    return budget;
  }

  void print(privacy::Unknown unknown, const privacy::Calibration& found) const {
    const auto marked = [unknown](privacy::Unknown which, std::string text) { return text + (which == unknown ? "  (found)" : ""); };
    print_fields({{"noise multiplier", marked(privacy::Unknown::noise_multiplier, fmt::to_string(found.noise_multiplier))},
                  {"sample rate", marked(privacy::Unknown::sample_rate, fmt::to_string(found.sample_rate))},
                  {"steps", marked(privacy::Unknown::steps, fmt::to_string(found.steps))},
                  {"epsilon", privacy::rounded_up(found.epsilon)},
                  {"delta", marked(privacy::Unknown::delta, fmt::to_string(found.delta))},
                  {"kind", found.is_approximation ? "an approximation, not a guarantee" : "a guarantee"},
                  {"under", in_words(accountant_)}});
    print_warnings(found.warnings);
  }

  std::string find_ = "noise";
  double epsilon_ = 0;
  std::optional<double> delta_;
  RunOptions run_;
  AccountantOptions accountant_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_calibrate(CLI::App& app) { return std::make_unique<Calibrate>(app); }

}  // namespace ghostgrad::cli
