// SPDX-License-Identifier: Apache-2.0
// What an exception of libtorch says, without its stack trace; nothing for any other exception.
#pragma once

#include <exception>
#include <optional>
#include <string>

namespace ghostgrad::cli {

[[nodiscard]] std::optional<std::string> torch_message(const std::exception& error);

}  // namespace ghostgrad::cli
