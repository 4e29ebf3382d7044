// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/cifar10.h"

#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/data/bytes.h"
#include "ghostgrad/data/images.h"

namespace ghostgrad::data {
namespace {

constexpr int64_t kClasses = 10;
constexpr int64_t kRecord = 1 + 3 * 32 * 32;
constexpr int kPublishedBatches = 5;

std::filesystem::path batch_file(const std::filesystem::path& directory, int number) {
  return directory / fmt::format("data_batch_{}.bin", number);
}

void require(const std::filesystem::path& file) {
  if (is_file(file)) return;
  throw base::InvalidArgument(file.string(), "there is no such file", "",
                              "a CIFAR-10 directory (binary version) holds data_batch_1.bin to data_batch_5.bin and test_batch.bin");
}

// Every batch up to the last one there is, so that a file lost from the middle is noticed.
std::vector<std::filesystem::path> training_files(const std::filesystem::path& directory) {
  int last = 1;
  for (int number = 1; number <= kPublishedBatches; ++number) {
    if (is_file(batch_file(directory, number))) last = number;
  }
  std::vector<std::filesystem::path> files;
  for (int number = 1; number <= last; ++number) {
    files.push_back(batch_file(directory, number));
    require(files.back());
  }
  return files;
}

// -> [N, 3073] uint8
at::Tensor read_records(const std::filesystem::path& file) {
  require(file);
  const auto bytes = read_bytes(file);
  const auto size = static_cast<int64_t>(bytes.size());
  if (size == 0 || size % kRecord != 0) {
    throw base::SystemError(file.string(), fmt::format("must hold a whole number of records of {} bytes", kRecord),
                            fmt::format("{} bytes", size), "the file is truncated or damaged: fetch it again");
  }
  return at::from_blob(const_cast<uint8_t*>(bytes.data()), {size / kRecord, kRecord}, at::kByte).clone();
}

Dataset read_part(const std::vector<std::filesystem::path>& files, const std::string& name) {
  std::vector<at::Tensor> pixels, targets;
  for (const auto& file : files) {
    const auto records = read_records(file);
    pixels.push_back(records.slice(1, 1).reshape({-1, 3, 32, 32}));
    targets.push_back(to_targets(records.select(1, 0), kClasses, file.string()));
  }
  const Normalisation published{{0.4914, 0.4822, 0.4465}, {0.2470, 0.2435, 0.2616}};
  return {normalise(at::cat(pixels), published), at::cat(targets), kClasses, name};
}

}  // namespace

Split cifar10(const std::filesystem::path& directory) {
  return {read_part(training_files(directory), "cifar10/train"), read_part({directory / "test_batch.bin"}, "cifar10/test")};
}

}  // namespace ghostgrad::data
