// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/mnist.h"

#include <span>

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/data/bytes.h"
#include "ghostgrad/data/images.h"

namespace ghostgrad::data {
namespace {

constexpr int64_t kClasses = 10;
constexpr const char* kFetchAgain = "the file is truncated or damaged: fetch it again";

uint32_t big_endian(std::span<const uint8_t> bytes, std::size_t at) {
  return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 | uint32_t{bytes[at + 2]} << 8 | uint32_t{bytes[at + 3]};
}

// The header's element count; saturates, so that a damaged header cannot wrap round to a plausible size.
std::size_t element_count(const std::vector<int64_t>& shape) {
  constexpr std::size_t kTooMany = std::size_t{1} << 62;
  std::size_t count = 1;
  for (const auto extent : shape) {
    const auto factor = static_cast<std::size_t>(extent);
    count = factor != 0 && count > kTooMany / factor ? kTooMany : count * factor;
  }
  return count;
}

std::size_t header_size(std::size_t rank) { return 4 + 4 * rank; }

void check_header(const std::filesystem::path& file, std::span<const uint8_t> bytes, std::size_t rank) {
  if (bytes.size() < header_size(rank)) {
    throw base::SystemError(file.string(), fmt::format("an IDX header has {} bytes", header_size(rank)),
                            fmt::format("a file of {}", bytes.size()), kFetchAgain);
  }
  const auto wanted = 0x800U + static_cast<uint32_t>(rank);
  const auto magic = big_endian(bytes, 0);
  if (magic == wanted) return;
  throw base::SystemError(file.string(), fmt::format("this kind of IDX file begins with {:#010x}", wanted), fmt::format("{:#010x}", magic),
                          "this is another kind of file or a damaged one: fetch it again");
}

std::vector<int64_t> read_shape(const std::filesystem::path& file, std::span<const uint8_t> bytes, std::size_t rank) {
  check_header(file, bytes, rank);
  std::vector<int64_t> shape;
  for (std::size_t axis = 0; axis < rank; ++axis) shape.push_back(big_endian(bytes, 4 + 4 * axis));
  const auto wanted = element_count(shape);
  const auto got = bytes.size() - header_size(rank);
  if (wanted == got && got > 0) return shape;
  throw base::SystemError(file.string(),
                          fmt::format("the header announces [{}] = {} bytes and at least one", fmt::join(shape, ", "), wanted),
                          fmt::to_string(got), kFetchAgain);
}

std::filesystem::path find_file(const std::filesystem::path& directory, const std::string& name) {
  for (const auto& candidate : {directory / name, directory / (name + ".gz")}) {
    if (is_file(candidate)) return candidate;
  }
  throw base::InvalidArgument(
      (directory / name).string(), "there is no such file, plain or with .gz", "",
      "an MNIST directory holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte");
}

Dataset read_part(const std::filesystem::path& directory, const std::string& prefix, const std::string& name) {
  const auto image_file = find_file(directory, prefix + "-images-idx3-ubyte");
  const auto label_file = find_file(directory, prefix + "-labels-idx1-ubyte");
  const auto pixels = read_idx(image_file, 3);
  const auto labels = read_idx(label_file, 1);
  if (pixels.size(0) != labels.size(0)) {
    throw base::SystemError(
        label_file.string(),
        fmt::format("must hold one label for each of the {} images of {}", pixels.size(0), image_file.filename().string()),
        fmt::format("{} labels", labels.size(0)), "take both files from the same source");
  }
  return {normalise(pixels.unsqueeze(1), {{0.1307}, {0.3081}}), to_targets(labels, kClasses, label_file.string()), kClasses, name};
}

}  // namespace

at::Tensor read_idx(const std::filesystem::path& file, int dimensions) {
  const auto bytes = read_bytes(file);
  const auto shape = read_shape(file, bytes, static_cast<std::size_t>(dimensions));
  const auto* elements = bytes.data() + header_size(shape.size());
  return at::from_blob(const_cast<uint8_t*>(elements), shape, at::kByte).clone();
}

Split mnist(const std::filesystem::path& directory) {
  Split split{read_part(directory, "train", "mnist/train"), read_part(directory, "t10k", "mnist/test")};
  if (split.train.inputs.sizes().slice(1) != split.test.inputs.sizes().slice(1)) {
    throw base::SystemError(directory.string(), "training and test images must have one size",
                            fmt::format("{}x{} and {}x{}", split.train.inputs.size(2), split.train.inputs.size(3),
                                        split.test.inputs.size(2), split.test.inputs.size(3)),
                            "take all four files from the same source");
  }
  return split;
}

}  // namespace ghostgrad::data
