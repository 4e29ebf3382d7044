// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/bench.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/clip/clipper.h"
#include "ghostgrad/measure/counting_allocator.h"

namespace ghostgrad::measure {
namespace {

constexpr double kSigma = 1.0, kThreshold = 1.0;

void ordinary_step(const Workload& workload) {
  for (const at::Tensor& parameter : workload.parameters) parameter.mutable_grad().reset();
  workload.losses(workload.batch).sum().backward();
}

/// One method on one workload, kept from round to round so that `auto` remembers what it measured.
class Runner {
 public:
  Runner(const Workload& workload, const std::string& method, double threshold = kThreshold)
      : workload_(workload), clipper_(workload.parameters, {.threshold = threshold, .method = method}) {
    for (const at::Tensor& parameter : workload.parameters) dimension_ += parameter.numel();
  }

  [[nodiscard]] const clip::Method& method() const { return clipper_.method(); }

  void step() {
    if (method().norm == clip::NormRoute::none) return ordinary_step(workload_);
    if (!sum_) sum_.emplace(clipper_.start(noise::make_lattice(kSigma, kThreshold, dimension_)));
    accumulate(*sum_);
  }

  /// The clipped sum without a lattice.
  [[nodiscard]] std::vector<at::Tensor> exact_sum() {
    auto sum = clipper_.start(std::nullopt);
    accumulate(sum);
    return sum.totals();
  }

 private:
  void accumulate(clip::ClippedSum& sum) {
    if (method().norm != clip::NormRoute::loop_forward) {
      (void)clipper_.accumulate(workload_.losses(workload_.batch), {}, sum);
      return;
    }
    const auto losses_of = [&](int64_t example) {
      std::vector<at::Tensor> one;
      for (const at::Tensor& tensor : workload_.batch) one.push_back(tensor.narrow(0, example, 1));
      return workload_.losses(one);
    };
    (void)clipper_.accumulate_each(workload_.batch[0].size(0), losses_of, {}, sum);
  }

  const Workload& workload_;
  clip::Clipper clipper_;
  std::optional<clip::ClippedSum> sum_;
  int64_t dimension_ = 0;
};

double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

double error_of(const std::string& model, const std::string& method, const BenchOptions& options) {
  const Workload exact = make_workload(model, {options.batch, at::kDouble}), single = make_workload(model, {options.batch, at::kFloat});
  const auto expected = Runner(exact, "naive").exact_sum(), got = Runner(single, method).exact_sum();
  double worst = 0, largest = std::numeric_limits<double>::min();
  for (size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, (got[i] - expected[i]).abs().max().item<double>());
    largest = std::max(largest, expected[i].abs().max().item<double>());
  }
  return worst / largest;
}

std::vector<std::string> chosen_methods(const BenchOptions& options) {
  std::vector<std::string> names{"non_private"};
  if (!options.methods.empty()) {
    for (const std::string& name : options.methods) {
      if (clip::find_method(name).name != names[0]) names.push_back(name);
    }
    return names;
  }
  for (const clip::Method& method : clip::methods()) {
    if (method.name != names[0]) names.push_back(method.name);
  }
  return names;
}

std::vector<BenchRow> bench_model(const std::string& model, const BenchOptions& options) {
  const Workload workload = make_workload(model, {options.batch, at::kFloat});
  std::vector<Runner> runners;
  std::vector<BenchRow> rows;
  for (const std::string& method : chosen_methods(options)) {
    runners.emplace_back(workload, method);
    runners.back().step();  // warm: pages, thread pools, the measurements of `auto`
    const PeakBytes peak;
    runners.back().step();
    BenchRow row;
    row.model = model;
    row.what = workload.what;
    row.method = method;
    row.peak_bytes = peak.bytes();
    rows.push_back(row);
  }
  std::vector<std::vector<double>> times(rows.size());
  for (int round = 0; round < options.rounds; ++round) {
    for (size_t k = 0; k < rows.size(); ++k) times[k].push_back(milliseconds([&] { runners[k].step(); }));
  }
  for (size_t k = 0; k < rows.size(); ++k) {
    rows[k].median_ms = median(times[k]);
    rows[k].minimum_ms = *std::min_element(times[k].begin(), times[k].end());
    rows[k].ratio = rows[k].median_ms / rows[0].median_ms;
    rows[k].minimum_ratio = rows[k].minimum_ms / rows[0].minimum_ms;
    if (options.check && k > 0) rows[k].error = error_of(model, rows[k].method, options);
  }
  return rows;
}

}  // namespace

std::vector<BenchRow> run_bench(const BenchOptions& options, const std::function<void(const std::string&)>& progress) {
  if (options.rounds < 1) throw base::InvalidArgument("rounds", "must be at least 1", fmt::to_string(options.rounds), "pass e.g. 10");
  const PeakBytes installs_the_counter_before_the_first_tensor;
  std::vector<BenchRow> rows;
  for (const std::string& model : options.models) {
    progress(model);
    for (BenchRow& row : bench_model(model, options)) rows.push_back(std::move(row));
  }
  return rows;
}

std::string to_markdown(const std::vector<BenchRow>& rows) {
  const bool errors = std::any_of(rows.begin(), rows.end(), [](const BenchRow& row) { return row.error >= 0; });
  std::string table = errors ? "| model | method | ratio | at best | peak MiB | error |\n|---|---|---|---|---|---|\n"
                             : "| model | method | ratio | at best | peak MiB |\n|---|---|---|---|---|\n";
  for (const BenchRow& row : rows) {
    table += fmt::format("| {} | `{}` | {:.2f} | {:.2f} | {:.1f} |", row.what, row.method, row.ratio, row.minimum_ratio,
                         static_cast<double>(row.peak_bytes) / 1048576);
    table += errors ? (row.error >= 0 ? fmt::format(" {:.1e} |\n", row.error) : std::string(" - |\n")) : "\n";
  }
  return table;
}

}  // namespace ghostgrad::measure
