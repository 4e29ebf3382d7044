// SPDX-License-Identifier: Apache-2.0
// What every call of OpenSSL in this room shares: a failure is an exception that carries OpenSSL's own reason.
#pragma once

#include <string_view>

namespace ghostgrad::random {

/// Throws base::SystemError with the newest entry of OpenSSL's error queue, and empties the queue.
[[noreturn]] void throw_openssl(std::string_view wrong, std::string_view remedy);

/// For calls that fail only when OpenSSL is broken or out of memory.
inline void require_openssl(bool ok, std::string_view call) {
  if (!ok) throw_openssl(call, "check that OpenSSL 3 is installed with its default provider");
}

}  // namespace ghostgrad::random
