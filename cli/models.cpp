// SPDX-License-Identifier: Apache-2.0
// ghostgrad models: the table of models/make.h.
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/models/make.h"

namespace ghostgrad::cli {
namespace {

// "images 3 x 32 x 32, 10 classes"
std::string input_of(const models::Architecture& row) {
  const char* const kinds[] = {"numbers", "images", "tokens"};
  const std::string shape = fmt::format("{} {}", kinds[static_cast<int>(row.input)], fmt::join(row.usual.input_shape, " x "));
  if (row.task == base::Task::language_model) return fmt::format("{} of {}", shape, row.usual.classes);
  const std::string vocabulary = row.input == models::Input::tokens ? fmt::format(" of {}", row.usual.vocabulary) : std::string();
  return fmt::format("{}{}, {} classes", shape, vocabulary, row.usual.classes);
}

class Models : public Command {
 public:
  explicit Models(CLI::App& app) { add_json_flag(app, json_); }

  int run() override {
    if (json_) {
      auto rows = nlohmann::ordered_json::array();
      for (const auto& row : models::architectures()) {
        rows.push_back(
            {{"model", row.name}, {"parameters", row.parameters}, {"input", input_of(row)}, {"what", row.what}, {"source", row.source}});
      }
      print_json(nlohmann::ordered_json{{"models", rows}});
    } else {
      std::vector<std::vector<std::string>> rows = {{"model", "parameters", "of input", "source", "what it is"}};
      for (const auto& row : models::architectures()) {
        rows.push_back({std::string(row.name), with_commas(static_cast<double>(row.parameters)), input_of(row), std::string(row.source),
                        std::string(row.what)});
      }
      print_table(rows);
    }
    return kDone;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_models(CLI::App& app) { return std::make_unique<Models>(app); }

}  // namespace ghostgrad::cli
