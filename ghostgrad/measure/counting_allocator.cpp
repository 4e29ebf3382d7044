// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/counting_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <atomic>
#include <utility>

namespace ghostgrad::measure {
namespace {

std::atomic<int64_t> held{0};
std::atomic<int64_t> peak{0};

/// Rides on an allocation of the wrapped allocator and gives its bytes back to the count when it dies.
struct Counted {
  at::DataPtr inner;
  int64_t bytes;
};

void release(void* context) {
  auto* counted = static_cast<Counted*>(context);
  held -= counted->bytes;
  delete counted;
}

class CountingAllocator final : public c10::Allocator {
 public:
  explicit CountingAllocator(c10::Allocator* inner) : inner_(inner) {}

  at::DataPtr allocate(size_t bytes) override {
    auto inner = inner_->allocate(bytes);
    if (bytes == 0) return inner;
    const auto size = static_cast<int64_t>(bytes);
    const int64_t now = held += size;
    for (int64_t seen = peak; now > seen && !peak.compare_exchange_weak(seen, now);) {
    }
    void* data = inner.get();
    const auto device = inner.device();
    return {data, new Counted{std::move(inner), size}, release, device};
  }

  void copy_data(void* destination, const void* source, size_t bytes) const override { default_copy_data(destination, source, bytes); }

 private:
  c10::Allocator* inner_;
};

void install() {
  static CountingAllocator allocator(c10::GetCPUAllocator());
  static const bool installed = [] {
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
