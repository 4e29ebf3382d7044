// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/bytes.h"

#include "tests/data/files.h"
#include <gmock/gmock.h>

namespace ghostgrad::data {
namespace {

using testing::HasSubstr;

Bytes counting(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * i >> 3);
  return bytes;
}

using ReadBytes = FilesTest;

TEST_F(ReadBytes, GivesBackAPlainFile) {
  const auto bytes = counting(3'000'000);  // more than one chunk
  EXPECT_EQ(read_bytes(write("plain", bytes)), bytes);
}

TEST_F(ReadBytes, GivesBackAnEmptyFile) { EXPECT_EQ(read_bytes(write("empty", {})), Bytes{}); }

TEST_F(ReadBytes, UnpacksAGzipFile) {
  const auto bytes = counting(3'000'000);
  const auto file = write_gz("packed.gz", bytes);
  EXPECT_LT(std::filesystem::file_size(file), bytes.size());
  EXPECT_EQ(read_bytes(file), bytes);
}

TEST_F(ReadBytes, RefusesAMissingFileAndADirectory) {
  for (const auto& path : {directory_ / "nowhere", directory_, std::filesystem::path(std::string(5000, 'x'))}) {
    EXPECT_FALSE(is_file(path));
    EXPECT_THAT(message_of<base::InvalidArgument>([&] { (void)read_bytes(path); }), HasSubstr("there is no such file"));
  }
}

TEST_F(ReadBytes, RefusesAGzipFileThatIsCutOffAnywhere) {
  write_gz("whole.gz", counting(10'000));
  const auto whole = stored("whole.gz");
  for (const std::size_t size : {whole.size() - 1, whole.size() - 8, whole.size() / 2, std::size_t{20}}) {
    const auto file = write("cut.gz", Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_THAT(message_of<base::SystemError>([&] { (void)read_bytes(file); }), HasSubstr("truncated or damaged")) << size;
  }
}

TEST_F(ReadBytes, RefusesAGzipFileWithADamagedByte) {
  write_gz("whole.gz", counting(10'000));
  const auto whole = stored("whole.gz");
  for (const std::size_t at : {whole.size() / 2, whole.size() - 5}) {  // in the stream, in its checksum
    auto damaged = whole;
    damaged[at] ^= 0x10;
    const auto file = write("damaged.gz", damaged);
    EXPECT_THAT(message_of<base::SystemError>([&] { (void)read_bytes(file); }), HasSubstr("damaged.gz")) << at;
  }
}

}  // namespace
}  // namespace ghostgrad::data
