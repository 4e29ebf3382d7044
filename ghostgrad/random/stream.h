// SPDX-License-Identifier: Apache-2.0
// A stream of random bytes: AES-256 in counter mode [NIST SP 800-38A, Sec. 6.5] under a key of the stream's own.
//
//     subkey = HKDF-Expand(key, "ghostgrad stream v1" | purpose | step | tensor | rank)      little-endian, fixed width
//     block k = AES-256(subkey, k),  k = 0, 1, ... as a 128-bit big-endian counter           16 bytes each
//
// Why it is safe: the encoding of the id is injective, so two ids never share a subkey, and counters of different streams live
// under different keys and cannot overlap. Telling the bytes from uniform ones means breaking AES-256 or HMAC-SHA256, plus the
// counter-mode term n^2 / 2^129 for n blocks.
//
//     Stream stream(key, {Purpose::noise, step, tensor, rank});
//     stream.seek(block);            // threads fill disjoint parts of one stream: same bytes for any number of threads
//     stream.fill(bytes);            // and stream.next_u64(), stream.uniform_below(n), stream.bernoulli(q)
//
// fill and next_u64 read the same sequence of bytes. A pair (key, id) is for one use only: reuse cancels noise between releases.
// A stream carried into a forked child throws base::PrivacyError (random/process.h says why). One thread at a time: every thread makes
// its own stream of the same id, and seeks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "ghostgrad/random/key.h"

struct evp_cipher_ctx_st;

namespace ghostgrad::random {

/// What the bytes are for. The numbers are part of the derivation: never renumber, only add.
enum class Purpose : std::uint32_t {
  noise = 1,           // of a release
  sampling = 2,        // which examples a logical batch holds
  initialisation = 3,  // of parameters, where a model asks for it
  augmentation = 4,    // of examples, and dropout
  audit = 5,           // canaries, coin flips, the examples that an independence check replaces
};

struct StreamId {
  Purpose purpose{};
  std::uint64_t step = 0;
  std::uint32_t tensor = 0;
  std::uint32_t rank = 0;
};

class Stream {
 public:
  static constexpr std::size_t block_size = 16;

  Stream(const Key& key, StreamId id);
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  /// The next out.size() bytes.
  void fill(std::span<std::byte> out);

  /// Go to byte 16 * block of the stream.
  void seek(std::uint64_t block);

  /// The next 8 bytes, little-endian.
  [[nodiscard]] std::uint64_t next_u64();

  /// Uniform on 0, ..., n - 1, exactly (rejection; fewer than two draws on average).
  [[nodiscard]] std::uint64_t uniform_below(std::uint64_t n);

  /// True with probability exactly q, for every double q in [0, 1].
  [[nodiscard]] bool bernoulli(double q);

  /// False when the key came from Key::for_tests.
  [[nodiscard]] bool is_private() const noexcept { return private_; }

 private:
  struct FreeCipher {
    void operator()(evp_cipher_ctx_st* cipher) const noexcept;
  };

  void keystream(std::span<std::byte> out);

  std::unique_ptr<evp_cipher_ctx_st, FreeCipher> cipher_;
  std::array<std::byte, 1024> buffer_{};
  std::size_t used_ = buffer_.size();
  std::uint64_t process_ = 0;
  bool private_ = false;
};

}  // namespace ghostgrad::random
