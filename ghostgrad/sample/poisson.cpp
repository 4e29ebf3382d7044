// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/sample/poisson.h"

#include <utility>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/random/stream.h"

namespace ghostgrad::sample {
namespace {

void check(const PoissonOptions& options) {
  if (options.data_set_size < 1) {
    throw base::InvalidArgument("data_set_size", "must be at least 1", fmt::to_string(options.data_set_size),
                                "pass the number of examples");
  }
  if (!(options.sample_rate > 0) || options.sample_rate > 1) {
    throw base::InvalidArgument("sample_rate", "must lie in (0, 1]", fmt::to_string(options.sample_rate),
                                "pass expected batch size / data set size");
  }
  if (options.steps < 0) {
    throw base::InvalidArgument("steps", "must not be negative", fmt::to_string(options.steps), "pass the number of logical batches");
  }
  if (options.physical_batch_size < 1) {
    throw base::InvalidArgument("physical_batch_size", "must be at least 1", fmt::to_string(options.physical_batch_size),
                                "pass how many examples fit in memory");
  }
}

}  // namespace

PoissonSampler::PoissonSampler(PoissonOptions options, random::Key key) : options_(options), key_(std::move(key)) { check(options_); }

LogicalBatch PoissonSampler::draw(int64_t step) const {
  random::Stream stream(key_, {random::Purpose::sampling, static_cast<uint64_t>(step), 0, 0});
  LogicalBatch batch{step, {}, options_.physical_batch_size};
  for (int64_t example = 0; example < options_.data_set_size; ++example) {
    if (stream.bernoulli(options_.sample_rate)) batch.examples.push_back(example);
  }
  return batch;
}

privacy::Event PoissonSampler::event(privacy::Event mechanism) const {
  return privacy::poisson_sampled(options_.sample_rate, std::move(mechanism));
}

double PoissonSampler::expected_batch_size() const { return options_.sample_rate * static_cast<double>(options_.data_set_size); }

}  // namespace ghostgrad::sample
