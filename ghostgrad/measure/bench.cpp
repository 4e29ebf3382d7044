// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/bench.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/measure/counting_allocator.h"
#include "ghostgrad/measure/formulas.h"
#include "ghostgrad/measure/runner.h"

namespace ghostgrad::measure {
namespace {

constexpr size_t kFewestRounds = 3;

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

double error_of(const Workload& single, const std::string& method, WorkloadOptions sizes) {
  sizes.dtype = at::kDouble;
  const Workload exact = make_workload(single.model, sizes);
  const auto expected = Runner(exact, "naive").exact_sum(), got = Runner(single, method).exact_sum();
  double worst = 0, largest = std::numeric_limits<double>::min();
  for (size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, (got[i] - expected[i]).abs().max().item<double>());
    largest = std::max(largest, expected[i].abs().max().item<double>());
  }
  return worst / largest;
}

/// One method on its way through the rounds.
struct Contender {
  Runner runner;
  BenchRow row;
  std::vector<double> milliseconds;
  double spent = 0;  // seconds
};

Contender warmed_up(const Workload& workload, const std::string& method, const BenchOptions& options) {
  for (const at::Tensor& parameter : workload.parameters) parameter.mutable_grad().reset();
  const PeakBytes peak;
  Contender contender{Runner(workload, method, options.keep_bytes), {}, {}};
  for (int step = 0; step < 2; ++step) contender.spent += contender.runner.timed_step();  // pages; `auto` measures
  contender.row.model = workload.model;
  contender.row.what = workload.what;
  contender.row.batch = workload.examples;
  contender.row.method = method;
  contender.row.peak_bytes = peak.bytes();
  return contender;
}

void take_turns(std::vector<Contender>& contenders, const BenchOptions& options) {
  for (int round = 0; round < options.rounds; ++round) {
    for (Contender& contender : contenders) {
      if (contender.milliseconds.size() >= kFewestRounds && contender.spent > options.seconds) continue;
      const double seconds = contender.runner.timed_step();
      contender.milliseconds.push_back(1000 * seconds);
      contender.spent += seconds;
    }
  }
}

void fill_in(std::vector<Contender>& contenders, const Workload& workload) {
  const auto costs = Runner(workload, "bk").costs();
  const double ordinary = formula_of(contenders[0].runner.method(), costs, workload.examples).operations;
  const Contender& base = contenders[0];
  for (Contender& contender : contenders) {
    BenchRow& row = contender.row;
    row.rounds = static_cast<int>(contender.milliseconds.size());
    row.median_ms = median(contender.milliseconds);
    row.minimum_ms = *std::min_element(contender.milliseconds.begin(), contender.milliseconds.end());
    row.ratio = row.median_ms / base.row.median_ms;
    row.minimum_ratio = row.minimum_ms / base.row.minimum_ms;
    const Formula formula = formula_of(contender.runner.method(), costs, workload.examples);
    row.operations = formula.operations;
    row.formula_ratio = formula.operations / ordinary;
    row.paper_operations = formula.paper_operations;
    if (formula.paper_operations) row.paper_ratio = *formula.paper_operations / ordinary;
    row.formula_bytes = static_cast<int64_t>(formula.extra_bytes);
  }
}

std::vector<BenchRow> bench_workload(const std::string& model, const WorkloadOptions& sizes, int64_t threads, const BenchOptions& options) {
  const Workload workload = make_workload(model, sizes);
  std::vector<Contender> contenders;
  for (const auto& method : methods_to_measure(options.methods)) contenders.push_back(warmed_up(workload, method, options));
  take_turns(contenders, options);
  fill_in(contenders, workload);
  std::vector<BenchRow> rows;
  for (Contender& contender : contenders) {
    contender.row.threads = threads;
    if (options.check && !rows.empty()) contender.row.error = error_of(workload, contender.row.method, sizes);
    rows.push_back(std::move(contender.row));
  }
  return rows;
}

void check(const BenchOptions& options) {
  if (options.rounds < 1) throw base::InvalidArgument("rounds", "must be at least 1", fmt::to_string(options.rounds), "pass e.g. 10");
  for (const int64_t threads : options.threads) {
    if (threads < 1) throw base::InvalidArgument("threads", "must be at least 1", fmt::to_string(threads), "pass e.g. 1");
  }
  for (const auto& model : options.models) (void)models::find(model);
  (void)methods_to_measure(options.methods);
}

double mib(int64_t bytes) { return static_cast<double>(bytes) / 1048576; }

std::string table_line(const BenchRow& row, bool errors) {
  const std::string paper = row.paper_ratio ? fmt::format("{:.2f}", *row.paper_ratio) : "-";
  std::string line =
      fmt::format("| {} | {} | {} | `{}` | {:.2f} | {:.2f} | {:.2f} | {} | {:.1f} | {:.1f} |", row.what, row.batch, row.threads, row.method,
                  row.ratio, row.minimum_ratio, row.formula_ratio, paper, mib(row.peak_bytes), mib(row.formula_bytes));
  if (errors) line += row.error >= 0 ? fmt::format(" {:.1e} |", row.error) : std::string(" - |");
  return line + "\n";
}

}  // namespace

std::vector<std::string> methods_to_measure(const std::vector<std::string>& names) {
  const std::string base = "non_private";
  std::vector<std::string> chosen{base};
  if (names.empty()) {
    for (const clip::Method& method : clip::methods()) chosen.push_back(method.name);
  }
  for (const std::string& name : names) chosen.push_back(clip::find_method(name).name);
  chosen.erase(std::remove(chosen.begin() + 1, chosen.end(), base), chosen.end());
  return chosen;
}

std::vector<BenchRow> run_bench(const BenchOptions& options, const Progress& progress) {
  check(options);
  const PeakBytes installs_the_counter_before_the_first_tensor;
  check_sizes(options.models, options.sizes);
  std::vector<BenchRow> rows;
  for (const std::string& model : options.models) {
    for (const int64_t batch : options.batches) {
      for (const int64_t threads : options.threads) {
        if (progress) progress(fmt::format("{}, B {}, threads {}", model, batch > 0 ? fmt::to_string(batch) : "as usual", threads));
        at::set_num_threads(static_cast<int>(threads));
        auto sizes = options.sizes;
        sizes.batch = batch;
        auto more = bench_workload(model, sizes, threads, options);
        rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
      }
    }
  }
  return rows;
}

std::string to_markdown(const std::vector<BenchRow>& rows) {
  const bool errors = std::any_of(rows.begin(), rows.end(), [](const BenchRow& row) { return row.error >= 0; });
  std::string table = "| model | B | threads | method | ratio | at best | by formula | by paper | peak MiB | extra MiB by formula |";
  table += errors ? " error |\n|---|---|---|---|---|---|---|---|---|---|---|\n" : "\n|---|---|---|---|---|---|---|---|---|---|\n";
  for (const BenchRow& row : rows) table += table_line(row, errors);
  return table;
}

}  // namespace ghostgrad::measure
