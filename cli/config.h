// SPDX-License-Identifier: Apache-2.0
// Options from a file: `name = value` lines, names as on the command line without the dashes, an optional [command] heading, # for
// comments.
//
//     # mnist.toml
//     data = "mnist:data/mnist"
//     epsilon = 3
//     physical-batch = 128
//
// What the command line says goes first. A name that is not an option is refused: a budget that was misspelt must not be ignored.
#pragma once

#include <CLI/App.hpp>

namespace ghostgrad::cli {

/// Adds `--config FILE` to a command.
void add_config(CLI::App& command);

}  // namespace ghostgrad::cli
