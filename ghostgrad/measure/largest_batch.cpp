// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/largest_batch.h"

#include <algorithm>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/measure/counting_allocator.h"
#include "ghostgrad/measure/runner.h"

namespace ghostgrad::measure {
namespace {

constexpr int64_t kKeptShare = 8;

struct Trial {
  int64_t examples = 0;
  int64_t peak_bytes = 0;
  double seconds = 0;
};

class Search {
 public:
  Search(const CapOptions& options, std::string model, std::string method)
      : options_(options), model_(std::move(model)), method_(std::move(method)) {}

  CapRow run() {
    Trial good, bad = tried(1);
    while (fits(bad) && bad.examples < options_.limit) {
      good = bad;
      bad = tried(std::min(2 * good.examples, options_.limit));
    }
    if (fits(bad)) good = bad;
    while (bad.examples - good.examples > std::max<int64_t>(1, good.examples / 50)) {
      const Trial between = tried((good.examples + bad.examples) / 2);
      (fits(between) ? good : bad) = between;
    }
    const double rate = good.examples > 0 ? static_cast<double>(good.examples) / good.seconds : 0;
    return {model_, what_, method_, good.examples, good.examples == options_.limit, good.peak_bytes, rate};
  }

 private:
  [[nodiscard]] bool fits(const Trial& trial) const { return trial.peak_bytes <= options_.cap_bytes; }

  Trial tried(int64_t examples) {
    const PeakBytes peak;
    auto sizes = options_.sizes;
    sizes.batch = examples;
    const Workload workload = make_workload(model_, sizes);
    what_ = workload.what;
    Runner runner(workload, method_, options_.keep_bytes.value_or(options_.cap_bytes / kKeptShare));
    Trial trial{examples};
    for (int step = 0; step < 2; ++step) {  // the first finds fresh pages, and `auto` measures
      trial.seconds = runner.timed_step();
      trial.peak_bytes = peak.bytes();
      if (!fits(trial)) break;
    }
    return trial;
  }

  const CapOptions& options_;
  std::string model_, method_, what_;
};

}  // namespace

std::vector<CapRow> run_caps(const CapOptions& options, const Progress& progress) {
  if (options.cap_bytes < 1)
    throw base::InvalidArgument("cap_bytes", "must be at least 1", fmt::to_string(options.cap_bytes), "pass bytes");
  if (options.limit < 1) throw base::InvalidArgument("limit", "must be at least 1", fmt::to_string(options.limit), "pass e.g. 1024");
  const PeakBytes installs_the_counter_before_the_first_tensor;
  check_sizes(options.models, options.sizes);
  std::vector<CapRow> rows;
  for (const std::string& model : options.models) {
    for (const std::string& method : methods_to_measure(options.methods)) {
      if (progress) progress(fmt::format("{}, {}", model, method));
      rows.push_back(Search(options, model, method).run());
    }
  }
  return rows;
}

std::string to_markdown(const std::vector<CapRow>& rows) {
  std::string table = "| model | method | largest B | peak MiB | examples per second |\n|---|---|---|---|---|\n";
  for (const CapRow& row : rows) {
    table += fmt::format("| {} | `{}` | {}{} | {:.1f} | {:.1f} |\n", row.what, row.method, row.is_limit ? "at least " : "", row.largest,
                         static_cast<double>(row.peak_bytes) / 1048576, row.examples_per_second);
  }
  return table;
}

}  // namespace ghostgrad::measure
