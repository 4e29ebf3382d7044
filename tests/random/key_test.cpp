// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/random/key.h"

#include <cstring>
#include <new>
#include <ostream>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/random/stream.h"

namespace ghostgrad::random {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(const Secret& secret) { return {secret.bytes().begin(), secret.bytes().end()}; }

Bytes unhex(const std::string& hex) {
  Bytes bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

Bytes sha256(const Bytes& text) {
  Bytes digest(32);
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

Bytes test_key_bytes(std::uint64_t seed) {
  const std::string label = "ghostgrad test key, not private";
  Bytes text(label.begin(), label.end());
  for (int i = 0; i < 8; ++i) text.push_back(static_cast<std::uint8_t>(seed >> (8 * i)));
  return sha256(text);
}

/// OpenSSL's own HKDF in its expand-only mode.
Bytes hkdf_expand(Bytes key, Bytes info, std::size_t length) {
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode), OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()), OSSL_PARAM_construct_end()};
  Bytes out(length);
  EXPECT_EQ(EVP_KDF_derive(context, out.data(), out.size(), parameters), 1);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return out;
}

/// AES-256-CTR by single-block AES-256 calls.
Bytes counter_mode(const Bytes& key, Bytes counter, std::size_t blocks) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex2(context, EVP_aes_256_ecb(), key.data(), nullptr, nullptr);
  EVP_CIPHER_CTX_set_padding(context, 0);
  Bytes out(16 * blocks);
  for (std::size_t k = 0; k < blocks; ++k) {
    int written = 0;
    EVP_EncryptUpdate(context, out.data() + 16 * k, &written, counter.data(), 16);
    for (std::size_t i = 16; i-- > 0 && ++counter[i] == 0;) continue;
  }
  EVP_CIPHER_CTX_free(context);
  return out;
}

// NIST SP 800-38A, F.5.5 (CTR-AES256.Encrypt): key stream = plaintext xor ciphertext. Checks the oracle that the next test uses.
TEST(CounterMode, AgreesWithTheStandardsVectors) {
  const auto key = unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const auto plain = unhex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  const auto cipher = unhex(
      "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
      "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6");
  const auto stream = counter_mode(key, unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), 4);
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(stream[i], plain[i] ^ cipher[i]) << i;
}

// The whole chain by other means: SHA-256 of the seed, OpenSSL's HKDF over the encoded id, AES block by block.
TEST(Stream, IsCounterModeUnderTheHkdfOfItsId) {
  const std::string label = "ghostgrad stream v1";
  Bytes info(label.begin(), label.end());
  const auto id = unhex(
      "02000000"
      "0807060504030201"
      "0c0b0a09"
      "100f0e0d");
  info.insert(info.end(), id.begin(), id.end());
  const auto expected = counter_mode(hkdf_expand(test_key_bytes(42), info, 32), Bytes(16), 100);
  Stream stream(Key::for_tests(42), {Purpose::sampling, 0x0102030405060708, 0x090a0b0c, 0x0d0e0f10});
  Bytes got(1600);
  stream.fill(std::as_writable_bytes(std::span(got)));
  EXPECT_EQ(got, expected);
}

TEST(Key, DerivesLikeHkdfExpandOfRfc5869) {
  const Bytes info = unhex("f0f1f2f3f4f5f6f7f8f9");
  EXPECT_EQ(bytes_of(Key::for_tests(5).derive(info)), hkdf_expand(test_key_bytes(5), info, 32));
  EXPECT_THROW((void)Key::for_tests(5).derive(Bytes(65)), base::InvalidArgument);
}

TEST(Key, FromTheOperatingSystemIsPrivateAndFresh) {
  const auto one = Key::from_os();
  EXPECT_TRUE(one.is_private());
  EXPECT_NE(bytes_of(one.derive({})), bytes_of(Key::from_os().derive({})));
}

TEST(Key, ForTestsIsTaintedAlsoWhenMoved) {
  auto key = Key::for_tests(1);
  EXPECT_FALSE(key.is_private());
  EXPECT_FALSE(Key(std::move(key)).is_private());
}

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

TEST(Key, CannotBeCopiedOrPrinted) {
  static_assert(!std::is_copy_constructible_v<Key> && !std::is_copy_assignable_v<Key>);
  static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
  static_assert(!std::is_copy_constructible_v<Stream> && !std::is_copy_assignable_v<Stream>);
  static_assert(!Printable<Key> && !Printable<Secret> && Printable<int>);
  static_assert(!std::is_constructible_v<Key, std::uint64_t>, "a seeded key has one way in: for_tests");
}

TEST(Key, RefusesToWorkAfterItWasMovedFrom) {
  auto key = Key::for_tests(1);
  const Key other = std::move(key);
  EXPECT_THROW((void)key.derive({}), base::PrivacyError);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_FALSE(key.is_private());
}

TEST(Secret, IsWipedWhenItDiesAndWhenItMoves) {
  alignas(Secret) std::array<std::byte, sizeof(Secret)> memory;
  auto* secret = new (memory.data()) Secret;
  std::memset(secret->bytes().data(), 0xab, 32);
  const Secret moved = std::move(*secret);
  EXPECT_EQ(bytes_of(moved), Bytes(32, 0xab));
  EXPECT_EQ(bytes_of(*secret), Bytes(32, 0));
  std::memset(secret->bytes().data(), 0xab, 32);
  secret->~Secret();
  std::array<std::byte, sizeof(Secret)> after;
  std::memcpy(after.data(), memory.data(), memory.size());
  EXPECT_EQ(after, (std::array<std::byte, sizeof(Secret)>{}));
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/// Replaces OpenSSL's generator for one test.
class OpensslGenerator {
 public:
  explicit OpensslGenerator(int (*bytes)(unsigned char*, int)) : before_(RAND_get_rand_method()) {
    method_.bytes = bytes;
    RAND_set_rand_method(&method_);
  }
  ~OpensslGenerator() { RAND_set_rand_method(before_); }

 private:
  const RAND_METHOD* before_;
  RAND_METHOD method_{};
};

#pragma GCC diagnostic pop

TEST(Key, IsNotMadeWhenOpensslGivesNoBytes) {
  const OpensslGenerator failing([](unsigned char*, int) { return 0; });
  EXPECT_THROW((void)Key::from_os(), base::SystemError);
}

TEST(Key, StaysUnpredictableWhenOpensslGivesKnownBytes) {
  const OpensslGenerator constant([](unsigned char* out, int count) {
    std::memset(out, 7, static_cast<std::size_t>(count));
    return 1;
  });
  EXPECT_NE(bytes_of(Key::from_os().derive({})), bytes_of(Key::from_os().derive({})));
}

}  // namespace
}  // namespace ghostgrad::random
