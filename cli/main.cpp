// SPDX-License-Identifier: Apache-2.0
// ghostgrad COMMAND [OPTIONS]; the commands are in command.cpp, the exit codes in exit.h.
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "ghostgrad/base/error.h"

namespace ghostgrad::cli {
namespace {

int refuse(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  const std::string command = chosen.empty() ? "" : " " + chosen.front()->get_name();
  std::cerr << "error: [command line] " << error.what() << "; see `ghostgrad" << command << " --help`" << std::endl;
  return kUsage;
}

int run(int argc, char** argv) {
  CLI::App app("Trains deep networks with differential privacy.", "ghostgrad");
  app.set_version_flag("--version", std::string("ghostgrad ") + GHOSTGRAD_VERSION);
  app.require_subcommand(0, 1);  // at least one is wanted too, but then a misspelt one would be reported as a missing one
  std::vector<std::unique_ptr<Command>> all;
  for (const CommandRow& row : commands()) all.push_back(row.make(*app.add_subcommand(row.name, row.what)));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  }
  for (size_t i = 0; i < all.size(); ++i) {
    if (app.got_subcommand(commands()[i].name)) return all[i]->run();
  }
  throw base::InvalidArgument("command line", "must name a command", "none", "choose one of " + names_of(commands()));
}

}  // namespace
}  // namespace ghostgrad::cli

int main(int argc, char** argv) {
  try {
    return ghostgrad::cli::run(argc, argv);
  } catch (...) {
    return ghostgrad::cli::report_error(std::current_exception());
  }
}
