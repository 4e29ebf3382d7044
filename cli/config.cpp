// SPDX-License-Identifier: Apache-2.0
#include "cli/config.h"

#include <algorithm>
#include <string>

#include <CLI/Config.hpp>

namespace ghostgrad::cli {
namespace {

bool is_section_mark(const CLI::ConfigItem& item) { return item.name == "++" || item.name == "--"; }

CLI::Option& option_of(CLI::App& command, const CLI::ConfigItem& item) {
  std::string name = "--" + item.name;
  std::replace(name.begin(), name.end(), '_', '-');
  const bool ours = item.parents.empty() || (item.parents.size() == 1 && item.parents[0] == command.get_name());
  CLI::Option* option = ours ? command.get_option_no_throw(name) : nullptr;
  if (option == nullptr || !option->get_configurable()) throw CLI::ConfigError::Extras(item.fullname());
  return *option;
}

void give(CLI::App& command, CLI::Option& option, const CLI::ConfigItem& item) {
  if (!option.empty()) return;  // the command line goes first
  if (option.get_expected_min() == 0) {
    option.add_result(option.get_flag_value(item.name, command.get_config_formatter()->to_flag(item)));
  } else {
    option.add_result(item.inputs);
  }
  option.run_callback();
}

}  // namespace

// CLI11 reads a configuration file for the main program only, so a command's own is read here.
void add_config(CLI::App& command) {
  const auto read = [&command](const std::string& file) {
    for (const auto& item : command.get_config_formatter()->from_file(file)) {
      if (!is_section_mark(item)) give(command, option_of(command, item), item);
    }
  };
  command
      .add_option_function<std::string>("--config", read,
                                        "a file with `name = value` lines for these options; what is given here goes first")
      ->configurable(false);
}

}  // namespace ghostgrad::cli
