// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/counting_allocator.h"

#include <atomic>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

namespace ghostgrad::measure {
namespace {

std::atomic<int64_t> held{0};
std::atomic<int64_t> peak{0};

/// In front of each block lies its size; 64 bytes keep the block as aligned as it was.
constexpr size_t kHeader = 64;

c10::Allocator* inner = nullptr;

void release(void* data) {
  if (!data) return;  // of zero bytes
  auto* block = static_cast<char*>(data) - kHeader;
  held -= *reinterpret_cast<int64_t*>(block);
  inner->raw_deallocate(block);
}

class CountingAllocator final : public c10::Allocator {
 public:
  // Data and context are one pointer, so that raw_allocate works: oneDNN's scratchpads use it.
  at::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, at::kCPU};
    auto* block = static_cast<char*>(inner->raw_allocate(bytes + kHeader));
    const auto size = static_cast<int64_t>(bytes);
    *reinterpret_cast<int64_t*>(block) = size;
    const int64_t now = held += size;
    for (int64_t seen = peak; now > seen && !peak.compare_exchange_weak(seen, now);) {
    }
    void* data = block + kHeader;
    return {data, data, &release, at::kCPU};
  }

  at::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* destination, const void* source, size_t bytes) const override { default_copy_data(destination, source, bytes); }
};

void install() {
  static CountingAllocator allocator;
  static const bool installed = [] {
    inner = c10::GetCPUAllocator();
    c10::SetCPUAllocator(&allocator, /*priority=*/100);
    return true;
  }();
  (void)installed;
}

}  // namespace

PeakBytes::PeakBytes() {
  install();
  start_ = held;
  peak = start_;
}

int64_t PeakBytes::bytes() const { return peak - start_; }

}  // namespace ghostgrad::measure
