// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/random/stream.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/random/bernoulli.h"
#include "ghostgrad/random/openssl.h"
#include "ghostgrad/random/process.h"

namespace ghostgrad::random {
namespace {

constexpr std::string_view stream_label = "ghostgrad stream v1";

/// Fixed widths, so that no two ids give the same bytes.
auto encode(const StreamId& id) {
  std::array<std::uint8_t, stream_label.size() + 20> info{};
  auto* out = std::copy(stream_label.begin(), stream_label.end(), info.begin());
  const auto append = [&out](auto value) {
    for (std::size_t i = 0; i < sizeof value; ++i) *out++ = static_cast<std::uint8_t>(value >> (8 * i));
  };
  append(static_cast<std::uint32_t>(id.purpose));
  append(id.step);
  append(id.tensor);
  append(id.rank);
  return info;
}

}  // namespace

void Stream::FreeCipher::operator()(evp_cipher_ctx_st* cipher) const noexcept { EVP_CIPHER_CTX_free(cipher); }

Stream::Stream(const Key& key, StreamId id) : cipher_(EVP_CIPHER_CTX_new()), process_(process_mark()), private_(key.is_private()) {
  require_openssl(cipher_ != nullptr, "no memory for a cipher");
  const Secret subkey = key.derive(encode(id));
  const std::array<std::uint8_t, block_size> counter{};
  const auto ok = EVP_EncryptInit_ex2(cipher_.get(), EVP_aes_256_ctr(), subkey.bytes().data(), counter.data(), nullptr);
  require_openssl(ok == 1, "AES-256-CTR could not be started");
}

Stream::Stream(Stream&& other) noexcept { *this = std::move(other); }

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this == &other) return *this;
  cipher_ = std::move(other.cipher_);
  buffer_ = other.buffer_;
  used_ = std::exchange(other.used_, buffer_.size());
  process_ = std::exchange(other.process_, 0);  // nobody draws the same bytes from the old object
  private_ = other.private_;
  return *this;
}

Stream::~Stream() { OPENSSL_cleanse(buffer_.data(), buffer_.size()); }

void Stream::seek(std::uint64_t block) {
  require_same_process(process_, "this Stream");
  std::array<std::uint8_t, block_size> counter{};
  for (std::size_t i = 0; i < 8; ++i) counter[15 - i] = static_cast<std::uint8_t>(block >> (8 * i));
  require_openssl(EVP_EncryptInit_ex2(cipher_.get(), nullptr, nullptr, counter.data(), nullptr) == 1, "AES-256-CTR could not seek");
  used_ = buffer_.size();
}

void Stream::keystream(std::span<std::byte> out) {
  constexpr std::size_t piece = 1 << 14;  // stays in the first-level cache between the two passes
  while (!out.empty()) {
    const auto part = out.first(std::min(piece, out.size()));
    std::memset(part.data(), 0, part.size());
    auto* bytes = reinterpret_cast<unsigned char*>(part.data());
    int written = 0;
    const auto ok = EVP_EncryptUpdate(cipher_.get(), bytes, &written, bytes, static_cast<int>(part.size()));
    require_openssl(ok == 1 && std::cmp_equal(written, part.size()), "AES-256-CTR failed");
    out = out.subspan(part.size());
  }
}

void Stream::fill(std::span<std::byte> out) {
  require_same_process(process_, "this Stream");
  const auto kept = std::min(out.size(), buffer_.size() - used_);
  std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(used_), kept, out.begin());
  used_ += kept;
  keystream(out.subspan(kept));
}

std::uint64_t Stream::next_u64() {
  std::array<std::byte, 8> bytes;
  require_same_process(process_, "this Stream");
  if (used_ == buffer_.size()) {
    keystream(buffer_);
    used_ = 0;
  }
  if (buffer_.size() - used_ >= bytes.size()) {
    std::memcpy(bytes.data(), buffer_.data() + used_, bytes.size());
    used_ += bytes.size();
  } else {
    fill(bytes);
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return value;
}

std::uint64_t Stream::uniform_below(std::uint64_t n) {
  if (n == 0) throw base::InvalidArgument("Stream::uniform_below", "n must be at least 1", "0", "there is nothing to choose from");
  const auto mask = std::bit_width(n - 1) == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << std::bit_width(n - 1)) - 1;
  for (;;) {
    if (const auto value = next_u64() & mask; value < n) return value;
  }
}

bool Stream::bernoulli(double q) {
  if (!(q >= 0 && q <= 1))
    throw base::InvalidArgument("Stream::bernoulli", "q must lie in [0, 1]", fmt::to_string(q), "pass a probability");
  return uniform_is_below(q, [this] { return next_u64(); });
}

}  // namespace ghostgrad::random
