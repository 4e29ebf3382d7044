// SPDX-License-Identifier: Apache-2.0
// ghostgrad rules: the registry of rules/rule.h. Whatever is not in it runs through the fallback.
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"

#include <nlohmann/json.hpp>

#include "ghostgrad/rules/rule.h"

namespace ghostgrad::cli {
namespace {

const char* const kFallback =
    "every other op runs through the fallback: exact, slower, and reported as `fallback` in the summary of a training";

class Rules : public Command {
 public:
  explicit Rules(CLI::App& app) { add_json_flag(app, json_); }

  int run() override {
    if (json_) {
      auto rows = nlohmann::ordered_json::array();
      for (const auto& rule : rules::all_rules()) rows.push_back({{"rule", rule.name}, {"node", rule.node}, {"what", rule.formula}});
      print_json(nlohmann::ordered_json{{"rules", rows}, {"fallback", kFallback}});
    } else {
      std::vector<std::vector<std::string>> rows = {{"rule", "autograd node", "what it is"}};
      for (const auto& rule : rules::all_rules()) rows.push_back({rule.name, rule.node, rule.formula});
      print_table(rows);
      print_text(std::string("\n") + kFallback + "\n");
    }
    return kDone;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_rules(CLI::App& app) { return std::make_unique<Rules>(app); }

}  // namespace ghostgrad::cli
