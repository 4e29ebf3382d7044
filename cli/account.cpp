// SPDX-License-Identifier: Apache-2.0
// ghostgrad account: what Poisson-sampled training with Gaussian noise spends.
#include "cli/accounting.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::cli {
namespace {

class Account : public Command {
 public:
  explicit Account(CLI::App& app) {
    app.add_option("--noise-multiplier", noise_multiplier_, "sigma: the noise has standard deviation sigma C")->required();
    add_run_options(app, run_);
    app.add_option("--delta", delta_, "print the epsilon for this delta (1e-5 if --epsilon is not given either)");
    app.add_option("--epsilon", epsilon_, "print the delta for this epsilon instead");
    add_accountant_options(app, accountant_);
    add_json_flag(app, json_);
  }

  int run() override {
    if (epsilon_ && delta_) throw base::InvalidArgument("epsilon", "and delta exclude one another", "both", "pass the one that is known");
    const auto accountant = make_accountant(accountant_);
    const auto event = event_of(run_, noise_multiplier_);
    accountant->compose(event);
    const auto bound = epsilon_ ? accountant->delta(*epsilon_) : accountant->epsilon(delta_.value_or(kUsualDelta));
    const double epsilon = epsilon_ ? *epsilon_ : bound.value;
    const double delta = epsilon_ ? bound.value : delta_.value_or(kUsualDelta);
    if (json_) {
      print_json(nlohmann::ordered_json{{"epsilon", finite_or_text(epsilon)},
                                        {"delta", delta},
                                        {"noise_multiplier", noise_multiplier_},
                                        {"sample_rate", run_.sample_rate},
                                        {"steps", run_.steps},
                                        {"accountant", accountant_.name},
                                        {"adjacency", accountant_.adjacency},
                                        {"warnings", bound.warnings}});
    } else {
      print_fields({{"epsilon", epsilon_ ? fmt::to_string(epsilon) : privacy::rounded_up(epsilon)},
                    {"delta", epsilon_ ? privacy::rounded_up(delta) : fmt::to_string(delta)},
                    {"of", privacy::to_text(event)},
                    {"under", in_words(accountant_)}});
      print_warnings(bound.warnings);
    }
    return kDone;
  }

 private:
  double noise_multiplier_ = 0;
  RunOptions run_;
  std::optional<double> delta_, epsilon_;
  AccountantOptions accountant_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_account(CLI::App& app) { return std::make_unique<Account>(app); }

}  // namespace ghostgrad::cli
