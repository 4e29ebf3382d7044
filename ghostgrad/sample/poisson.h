// SPDX-License-Identifier: Apache-2.0
// Poisson sampling: every logical batch holds each example independently with probability q, drawn from the CSPRNG.
//
//     PoissonSampler sampler({.data_set_size = 50000, .sample_rate = 256.0 / 50000, .steps = 1000, .physical_batch_size = 64});
//     for (const LogicalBatch& logical : sampler)
//       for (const PhysicalBatch& batch : physical_batches(logical, data)) ...
//
// Logical batches vary in size and may be empty; an empty one is still a release. The sampler states the event that the accountant needs,
// so that loader and accountant cannot disagree.
//
// Guarantee: inclusions are independent, exactly q each (random/stream.h), and come from a key that no seed of the training determines.
#pragma once

#include <cstdint>
#include <iterator>
#include <vector>

#include "ghostgrad/privacy/events.h"
#include "ghostgrad/random/key.h"

namespace ghostgrad::sample {

struct PoissonOptions {
  int64_t data_set_size = 0;         // N
  double sample_rate = 0;            // q in (0, 1]
  int64_t steps = 0;                 // logical batches
  int64_t physical_batch_size = 64;  // what fits in memory; has no influence on privacy
};

/// What the sampler drew; one release.
struct LogicalBatch {
  int64_t step = 0;
  std::vector<int64_t> examples;  // indices, ascending
  int64_t physical_batch_size = 0;
};

class PoissonSampler {
 public:
  /// Errors: InvalidArgument for values out of range.
  explicit PoissonSampler(PoissonOptions options, random::Key key = random::Key::from_os());

  [[nodiscard]] LogicalBatch draw(int64_t step) const;

  /// One release with this sampler: Poisson(q) of what the mechanism does.
  [[nodiscard]] privacy::Event event(privacy::Event mechanism) const;
  /// q N: public, and the only divisor of a release.
  [[nodiscard]] double expected_batch_size() const;
  [[nodiscard]] const PoissonOptions& options() const { return options_; }
  /// False when made with a test key.
  [[nodiscard]] bool is_private() const { return key_.is_private(); }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = LogicalBatch;
    using difference_type = std::ptrdiff_t;
    using pointer = const LogicalBatch*;
    using reference = LogicalBatch;

    Iterator(const PoissonSampler& sampler, int64_t step) : sampler_(&sampler), step_(step) {}
    LogicalBatch operator*() const { return sampler_->draw(step_); }
    Iterator& operator++() {
      ++step_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return step_ != other.step_; }

   private:
    const PoissonSampler* sampler_;
    int64_t step_;
  };
  [[nodiscard]] Iterator begin() const { return {*this, 0}; }
  [[nodiscard]] Iterator end() const { return {*this, options_.steps}; }

 private:
  PoissonOptions options_;
  random::Key key_;
};

}  // namespace ghostgrad::sample
