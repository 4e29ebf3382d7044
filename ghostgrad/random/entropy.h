// SPDX-License-Identifier: Apache-2.0
// Entropy of the operating system, the only source of keys.
//
//     fill_with_entropy(std::as_writable_bytes(std::span(bytes)));   // throws base::SystemError, never returns weak bytes
//
// OpenSSL's RAND_priv_bytes and the kernel's getentropy are xored: neither a replaced OpenSSL generator nor a snapshot of its
// state makes the bytes predictable. If either fails, nothing is returned.
#pragma once

#include <cstddef>
#include <span>

namespace ghostgrad::random {

void fill_with_entropy(std::span<std::byte> out);

}  // namespace ghostgrad::random
