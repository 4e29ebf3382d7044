// SPDX-License-Identifier: Apache-2.0
// The 256-bit secret that all noise and all sampling of a run come from.
//
// Streams are keyed by subkeys, subkey = HKDF-Expand-SHA256(key, info, 32 bytes) [RFC 5869, Sec. 2.3]; the key itself is uniform,
// so the extract step is not needed. Different info gives computationally independent subkeys.
//
//     const Key key = Key::from_os();                       // fresh for every run and every resume
//     Stream noise(key, {Purpose::noise, step, tensor, rank});
//     key.is_private();                                     // false for Key::for_tests, and for everything made with it
//
// Guarantees: a key cannot be copied, printed or stored; its bytes are wiped when it dies or moves; a key carried into a forked
// child or used after a move throws base::PrivacyError; without entropy there is no key (base::SystemError).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>

namespace ghostgrad::random {

/// 256 secret bits; wiped on destruction and on move, never copied.
class Secret {
 public:
  Secret() = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  [[nodiscard]] std::span<std::uint8_t, 32> bytes() noexcept { return bytes_; }
  [[nodiscard]] std::span<const std::uint8_t, 32> bytes() const noexcept { return bytes_; }

 private:
  std::array<std::uint8_t, 32> bytes_{};
};

class Key {
 public:
  /// A fresh key from the operating system. Throws base::SystemError when it gives no entropy.
  [[nodiscard]] static Key from_os();

  /// A key that anybody can compute: for tests alone. is_private() is false, and every statement made with it says so.
  [[nodiscard]] static Key for_tests(std::uint64_t seed);

  Key(Key&& other) noexcept;
  Key& operator=(Key&& other) noexcept;

  [[nodiscard]] bool is_private() const noexcept { return private_; }

  /// HKDF-Expand of the key for `info` (at most 64 bytes).
  [[nodiscard]] Secret derive(std::span<const std::uint8_t> info) const;

 private:
  Key() = default;

  Secret secret_;
  std::uint64_t process_ = 0;  // process_mark() of the process that made it; 0 after a move
  bool private_ = false;
};

std::ostream& operator<<(std::ostream& out, const Secret& secret) = delete;
std::ostream& operator<<(std::ostream& out, const Key& key) = delete;

}  // namespace ghostgrad::random
