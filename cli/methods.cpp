// SPDX-License-Identifier: Apache-2.0
// ghostgrad methods: the table of clip/method.h.
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"

#include <nlohmann/json.hpp>

#include "ghostgrad/clip/method.h"

namespace ghostgrad::cli {
namespace {

class Methods : public Command {
 public:
  explicit Methods(CLI::App& app) { add_json_flag(app, json_); }

  int run() override {
    if (json_) {
      auto rows = nlohmann::ordered_json::array();
      for (const auto& method : clip::methods())
        rows.push_back({{"method", method.name}, {"what", method.summary}, {"paper", method.paper}});
      print_json(nlohmann::ordered_json{{"methods", rows}});
    } else {
      std::vector<std::vector<std::string>> rows = {{"method", "paper", "what it does"}};
      for (const auto& method : clip::methods()) rows.push_back({method.name, method.paper, method.summary});
      print_table(rows);
    }
    return kDone;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_methods(CLI::App& app) { return std::make_unique<Methods>(app); }

}  // namespace ghostgrad::cli
