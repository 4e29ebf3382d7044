// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/noise/gaussian.h"

#include <algorithm>
#include <bit>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/noise/box_muller.h"

namespace ghostgrad::noise {
namespace {

// Pair i reads block i of the stream; its further bits are blocks 2^63 + 2 i and the next, which no pair's first bits reach.
constexpr int64_t kPairsPerPart = 4096;  // 64 KiB of stream: what one thread takes at a time
constexpr int64_t kElementsPerPart = 2 * kPairsPerPart;
constexpr uint64_t kFurther = uint64_t{1} << 63;
constexpr double kLargestDeviation = 0x1p40;

void read_words(random::Stream& stream, uint64_t block, std::span<uint64_t> words) {
  stream.seek(block);
  stream.fill(std::as_writable_bytes(words));
  if constexpr (std::endian::native == std::endian::little) return;
  for (auto& word : words) {  // the stream is little-endian on every machine
    const auto* bytes = reinterpret_cast<const unsigned char*>(&word);
    uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | bytes[i];
    word = value;
  }
}

void fill_part(std::span<int64_t> out, double deviation, uint64_t first_pair, random::Stream& stream) {
  std::vector<uint64_t> words((out.size() + 1) / 2 * 2);
  read_words(stream, first_pair, words);
  box_muller(out, deviation, words, [&](uint64_t pair) {
    FurtherBits further;
    read_words(stream, kFurther + 2 * (first_pair + pair), further);
    return further;
  });
}

}  // namespace

void fill_gaussian(std::span<int64_t> out, double deviation, const random::Key& key, random::StreamId id) {
  if (!(deviation > 0 && deviation <= kLargestDeviation)) {
    throw base::InvalidArgument("noise", "the deviation must lie in (0, 2^40] lattice units", fmt::to_string(deviation),
                                "draw on the lattice that make_lattice gives for the same noise multiplier and threshold");
  }
  const auto size = static_cast<int64_t>(out.size());
  const auto parts = (size + kElementsPerPart - 1) / kElementsPerPart;
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    random::Stream stream(key, id);
    for (auto part = begin; part < end; ++part) {
      const auto first = part * kElementsPerPart;
      const auto count = std::min(kElementsPerPart, size - first);
      fill_part(out.subspan(static_cast<size_t>(first), static_cast<size_t>(count)), deviation, static_cast<uint64_t>(part * kPairsPerPart),
                stream);
    }
  });
}

at::Tensor gaussian(at::IntArrayRef sizes, double deviation, const random::Key& key, random::StreamId id) {
  auto out = at::empty(sizes, at::kLong);
  fill_gaussian({out.mutable_data_ptr<int64_t>(), static_cast<size_t>(out.numel())}, deviation, key, id);
  return out;
}

}  // namespace ghostgrad::noise
