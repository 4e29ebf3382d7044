// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/random/entropy.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/random/openssl.h"

namespace ghostgrad::random {
namespace {

void xor_with_kernel_entropy(std::span<std::byte> out) {
  std::array<std::byte, 256> kernel;  // getentropy gives at most 256 bytes per call
  for (std::size_t done = 0; done < out.size(); done += kernel.size()) {
    const auto part = out.subspan(done, std::min(kernel.size(), out.size() - done));
    if (::getentropy(kernel.data(), part.size()) != 0) {
      throw base::SystemError("random", "the operating system gives no entropy", std::strerror(errno), "allow the getrandom system call");
    }
    std::transform(part.begin(), part.end(), kernel.begin(), part.begin(), std::bit_xor<>());
  }
  OPENSSL_cleanse(kernel.data(), kernel.size());
}

}  // namespace

void fill_with_entropy(std::span<std::byte> out) {
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  if (RAND_priv_bytes(bytes, static_cast<int>(out.size())) != 1) {
    throw_openssl("OpenSSL gives no random bytes", "check OpenSSL's configuration (openssl rand -hex 8 must work)");
  }
  xor_with_kernel_entropy(out);
}

}  // namespace ghostgrad::random
