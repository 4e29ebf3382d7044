// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/bytes.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <zlib.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::data {
namespace {

constexpr unsigned kChunk = 1U << 20;

struct CloseGz {
  void operator()(gzFile file) const { gzclose_r(file); }
};
using OwnedGz = std::unique_ptr<gzFile_s, CloseGz>;

OwnedGz open_gz(const std::filesystem::path& file) {
  errno = 0;
  OwnedGz stream(gzopen(file.c_str(), "rb"));  // zlib hands plain files through unchanged
  if (!stream)
    throw base::SystemError(file.string(), "cannot be opened", errno == 0 ? "out of memory" : std::strerror(errno),
                            "check the file's permissions");
  return stream;
}

// After the last gzread: Z_BUF_ERROR says that the gzip stream stopped before its end, Z_DATA_ERROR that a checksum differs.
void check_complete(const std::filesystem::path& file, gzFile stream) {
  int code = Z_OK;
  const std::string text = gzerror(stream, &code);
  if (code == Z_OK || code == Z_STREAM_END) return;
  throw base::SystemError(file.string(), "cannot be read to its end", code == Z_ERRNO ? std::strerror(errno) : text,
                          "the file is truncated or damaged: fetch it again");
}

}  // namespace

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

std::vector<uint8_t> read_bytes(const std::filesystem::path& file) {
  if (!is_file(file)) throw base::InvalidArgument(file.string(), "there is no such file", "", "check the path");
  const OwnedGz stream = open_gz(file);
  std::vector<uint8_t> bytes;
  std::size_t size = 0;
  int count = 0;
  do {
    bytes.resize(size + kChunk);
    count = gzread(stream.get(), bytes.data() + size, kChunk);
    if (count > 0) size += static_cast<std::size_t>(count);
  } while (count > 0);
  check_complete(file, stream.get());
  bytes.resize(size);
  return bytes;
}

}  // namespace ghostgrad::data
