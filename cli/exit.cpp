// SPDX-License-Identifier: Apache-2.0
#include "cli/exit.h"

#include "cli/torch_error.h"
#include <iostream>
#include <new>
#include <string>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::cli {
namespace {

int failed_with(Exit code, const std::string& message) {
  std::cerr << "error: " << message.substr(0, message.find('\n')) << std::endl;
  return code;
}

}  // namespace

int report_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const base::InvalidArgument& wrong) {
    return failed_with(kUsage, wrong.what());
  } catch (const base::PrivacyError& wrong) {
    return failed_with(kPrivacy, wrong.what());
  } catch (const base::Error& wrong) {
    return failed_with(kFailed, wrong.what());
  } catch (const std::bad_alloc&) {
    return failed_with(kFailed, "[memory] there is not enough of it; pass a smaller --physical-batch");
  } catch (const std::exception& wrong) {
    if (const auto message = torch_message(wrong)) return failed_with(kFailed, fmt::format("[libtorch] {}", *message));
    return failed_with(kFailed, fmt::format("[internal] {}", wrong.what()));
  }
}

}  // namespace ghostgrad::cli
