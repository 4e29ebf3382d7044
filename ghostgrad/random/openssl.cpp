// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/random/openssl.h"

#include <array>
#include <string>

#include <openssl/err.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::random {

void throw_openssl(std::string_view wrong, std::string_view remedy) {
  std::array<char, 256> reason{};
  const unsigned long code = ERR_peek_last_error();
  if (code != 0) ERR_error_string_n(code, reason.data(), reason.size());
  ERR_clear_error();
  throw base::SystemError("random", std::string(wrong), reason.data(), std::string(remedy));
}

}  // namespace ghostgrad::random
