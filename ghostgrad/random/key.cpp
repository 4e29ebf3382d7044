// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/random/key.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/random/entropy.h"
#include "ghostgrad/random/openssl.h"
#include "ghostgrad/random/process.h"

namespace ghostgrad::random {

Secret::Secret(Secret&& other) noexcept { *this = std::move(other); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  bytes_ = other.bytes_;
  OPENSSL_cleanse(other.bytes_.data(), other.bytes_.size());
  return *this;
}

Secret::~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

Key::Key(Key&& other) noexcept { *this = std::move(other); }

Key& Key::operator=(Key&& other) noexcept {
  if (this == &other) return *this;
  secret_ = std::move(other.secret_);
  process_ = std::exchange(other.process_, 0);
  private_ = std::exchange(other.private_, false);
  return *this;
}

Key Key::from_os() {
  Key key;
  fill_with_entropy(std::as_writable_bytes(key.secret_.bytes()));
  key.process_ = process_mark();
  key.private_ = true;
  return key;
}

Key Key::for_tests(std::uint64_t seed) {
  constexpr std::string_view label = "ghostgrad test key, not private";
  std::array<std::uint8_t, label.size() + 8> text{};
  std::copy(label.begin(), label.end(), text.begin());
  for (std::size_t i = 0; i < 8; ++i) text[label.size() + i] = static_cast<std::uint8_t>(seed >> (8 * i));
  Key key;
  require_openssl(EVP_Digest(text.data(), text.size(), key.secret_.bytes().data(), nullptr, EVP_sha256(), nullptr) == 1, "SHA-256 failed");
  key.process_ = process_mark();
  return key;
}

Secret Key::derive(std::span<const std::uint8_t> info) const {
  require_same_process(process_, "this Key");
  // One block of HKDF-Expand is HMAC(key, info | 0x01).
  std::array<std::uint8_t, 65> message{};
  if (info.size() >= message.size()) throw base::InvalidArgument("Key::derive", "info must be at most 64 bytes", "", "hash it first");
  std::copy(info.begin(), info.end(), message.begin());
  message[info.size()] = 1;
  Secret subkey;
  const auto key = secret_.bytes();
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), info.size() + 1, subkey.bytes().data(), nullptr);
  require_openssl(done != nullptr, "HMAC-SHA256 failed");
  return subkey;
}

}  // namespace ghostgrad::random
