// SPDX-License-Identifier: Apache-2.0
// Small files to read back, whole or damaged.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>
#include <zlib.h>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::data {

using Bytes = std::vector<uint8_t>;

/// An empty directory of its own for each test; gone afterwards.
class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::path(testing::TempDir()) / (std::string("ghostgrad_") + test->test_suite_name() + "_" + test->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path write(const std::string& name, const Bytes& bytes) const {
    std::ofstream(directory_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return directory_ / name;
  }

  std::filesystem::path write_gz(const std::string& name, const Bytes& bytes) const {
    const auto file = gzopen((directory_ / name).c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    return directory_ / name;
  }

  Bytes stored(const std::string& name) const {
    std::ifstream file(directory_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  std::filesystem::path directory_;
};

/// The message of the Wanted error that `act` throws; fails the test if it throws anything else.
template <class Wanted, class Act>
std::string message_of(Act act) {
  try {
    act();
  } catch (const Wanted& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another error: " << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

/// An IDX file of unsigned bytes.
inline Bytes idx(const std::vector<uint32_t>& shape, const Bytes& elements) {
  Bytes bytes{0, 0, 8, static_cast<uint8_t>(shape.size())};
  for (const auto extent : shape) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<uint8_t>(extent >> shift));
  }
  bytes.insert(bytes.end(), elements.begin(), elements.end());
  return bytes;
}

}  // namespace ghostgrad::data
