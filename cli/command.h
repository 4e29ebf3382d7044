// SPDX-License-Identifier: Apache-2.0
// The commands of `ghostgrad`, as one table. Adding a command is adding a file with a class and a make_ function, and a row in command.cpp.
//
// A command declares its options on construction, and reads them when it runs. It throws what the library throws; main turns that into a
// message and an exit code (exit.h).
#pragma once

#include <memory>
#include <vector>

#include <CLI/App.hpp>

namespace ghostgrad::cli {

class Command {
 public:
  Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  virtual ~Command() = default;
  /// -> exit code
  virtual int run() = 0;
};

struct CommandRow {
  const char* name;
  const char* what;
  std::unique_ptr<Command> (*make)(CLI::App& app);
};

[[nodiscard]] const std::vector<CommandRow>& commands();

std::unique_ptr<Command> make_train(CLI::App& app);
std::unique_ptr<Command> make_account(CLI::App& app);
std::unique_ptr<Command> make_calibrate(CLI::App& app);
std::unique_ptr<Command> make_compare(CLI::App& app);
std::unique_ptr<Command> make_methods(CLI::App& app);
std::unique_ptr<Command> make_models(CLI::App& app);
std::unique_ptr<Command> make_rules(CLI::App& app);
std::unique_ptr<Command> make_bench(CLI::App& app);

}  // namespace ghostgrad::cli
