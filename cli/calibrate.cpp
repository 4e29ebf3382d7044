// SPDX-License-Identifier: Apache-2.0
// ghostgrad calibrate: the least noise that keeps training within (epsilon, delta).
#include "cli/accounting.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/privacy/calibration.h"
#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::cli {
namespace {

class Calibrate : public Command {
 public:
  explicit Calibrate(CLI::App& app) {
    app.add_option("--epsilon", epsilon_, "the epsilon not to exceed")->required();
    app.add_option("--delta", delta_, "the delta not to exceed")->capture_default_str();
    add_run_options(app, run_);
    add_accountant_options(app, accountant_);
    add_json_flag(app, json_);
  }

  int run() override {
    const privacy::TrainingBudget budget{epsilon_, delta_, run_.sample_rate, run_.steps};
    const auto found = privacy::calibrate_noise(budget, [this] { return make_accountant(accountant_); });
    if (json_) {
      print_json(nlohmann::ordered_json{{"noise_multiplier", found.noise_multiplier},
                                        {"epsilon", found.epsilon},
                                        {"delta", delta_},
                                        {"sample_rate", run_.sample_rate},
                                        {"steps", run_.steps},
                                        {"accountant", accountant_.name},
                                        {"adjacency", accountant_.adjacency},
                                        {"warnings", found.warnings}});
    } else {
      print_fields({{"noise multiplier", fmt::to_string(found.noise_multiplier)},
                    {"epsilon", privacy::rounded_up(found.epsilon)},
                    {"delta", fmt::to_string(delta_)},
                    {"under", in_words(accountant_)}});
      print_warnings(found.warnings);
    }
    return kDone;
  }

 private:
  double epsilon_ = 0;
  double delta_ = kUsualDelta;
  RunOptions run_;
  AccountantOptions accountant_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_calibrate(CLI::App& app) { return std::make_unique<Calibrate>(app); }

}  // namespace ghostgrad::cli
