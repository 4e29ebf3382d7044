// SPDX-License-Identifier: Apache-2.0
#include "cli/torch_error.h"

#include <c10/util/Exception.h>

namespace ghostgrad::cli {

std::optional<std::string> torch_message(const std::exception& error) {
  const auto* torch = dynamic_cast<const c10::Error*>(&error);
  if (torch == nullptr) return {};
  return torch->what_without_backtrace();
}

}  // namespace ghostgrad::cli
