// SPDX-License-Identifier: Apache-2.0
// ghostgrad bench: every method against ordinary training, interleaved in one process (measure/bench.h); with --memory-cap the largest
// physical batch of every method instead (measure/largest_batch.h).
#include "ghostgrad/measure/bench.h"

#include "cli/bounds.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/machine.h"
#include "cli/output.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/clip/method.h"
#include "ghostgrad/measure/largest_batch.h"

namespace ghostgrad::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMib = 20;  // bits

Json or_null(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }

Json to_json(const measure::BenchRow& row) {
  Json json{{"model", row.model},
            {"what", row.what},
            {"batch", row.batch},
            {"threads", row.threads},
            {"method", row.method},
            {"rounds", row.rounds},
            {"median_ms", row.median_ms},
            {"minimum_ms", row.minimum_ms},
            {"ratio", row.ratio},
            {"minimum_ratio", row.minimum_ratio},
            {"operations", row.operations},
            {"formula_ratio", row.formula_ratio},
            {"paper_operations", or_null(row.paper_operations)},
            {"paper_ratio", or_null(row.paper_ratio)},
            {"peak_bytes", row.peak_bytes},
            {"formula_extra_bytes", row.formula_bytes}};
  json["error"] = row.error >= 0 ? Json(row.error) : Json(nullptr);
  return json;
}

Json to_json(const measure::CapRow& row) {
  return {{"model", row.model},
          {"what", row.what},
          {"method", row.method},
          {"largest_batch", row.largest},
          {"is_limit", row.is_limit},
          {"peak_bytes", row.peak_bytes},
          {"examples_per_second", row.examples_per_second}};
}

class Bench : public Command {
 public:
  explicit Bench(CLI::App& app) : app_(&app) {
    add_json_flag(app, json_);
    app.add_option("--model", options_.models, "names of `ghostgrad models`")->capture_default_str();
    app.add_option("--method", options_.methods, "methods: " + names_of(clip::methods()) + " (default: all)");
    app.add_option("--batch", options_.batches, "examples per physical batch, one or several (0: each model's own)")
        ->capture_default_str()
        ->check(at_least(0));
    app.add_option("--threads", options_.threads, "threads of tensor operations, one or several")
        ->capture_default_str()
        ->check(at_least(1));
    app.add_option("--side", options_.sizes.side, "height and width of images instead of the model's own")->check(at_least(1));
    app.add_option("--positions", options_.sizes.positions, "tokens of a sequence (128)")->check(at_least(1));
    app.add_option("--vocabulary", options_.sizes.vocabulary, "tokens that there are")->check(at_least(1));
    app.add_option("--keep-bytes", keep_mib_, "MiB of instantiated gradients that `auto` may keep (1024, or an eighth of the memory cap)")
        ->check(at_least(0));
    app.add_option("--rounds", options_.rounds, "interleaved rounds")->capture_default_str()->check(at_least(1));
    app.add_option("--seconds", options_.seconds, "a method that has run for so long takes part in 3 rounds only")
        ->capture_default_str()
        ->check(at_least(0));
    app.add_flag("--check", options_.check, "also measure the error against one example at a time in float64 (slow)");
    app.add_option("--memory-cap", cap_mib_, "MiB: find the largest physical batch below this instead")->check(at_least(1));
    app.add_option("--limit", limit_, "the largest batch that is tried below a memory cap")->capture_default_str()->check(at_least(1));
    app.add_option("--commit", commit_, "recorded in the JSON");
  }

  int run() override {
    refuse_what_is_ignored();
    if (cap_mib_ > 0) {
      search();
    } else {
      if (keep_mib_) options_.keep_bytes = *keep_mib_ << kMib;
      print(measure::run_bench(options_, progress), Json::object());
    }
    return kDone;
  }

 private:
  /// Each of the two measurements has options that mean nothing to the other.
  void refuse_what_is_ignored() const {
    const bool searches = cap_mib_ > 0;
    for (const char* option : {"--batch", "--rounds", "--seconds", "--check"}) {
      if (searches && app_->count(option) > 0)
        throw base::InvalidArgument("command line", fmt::format("{} means nothing to a search below --memory-cap", option), "both",
                                    "leave one out");
    }
    if (searches && options_.threads.size() > 1)
      throw base::InvalidArgument("command line", "--threads must be one number with --memory-cap", fmt::to_string(options_.threads.size()),
                                  "search once for each");
    if (!searches && app_->count("--limit") > 0)
      throw base::InvalidArgument("command line", "--limit means nothing without --memory-cap", "no cap", "leave it out or give a cap");
  }

  void search() const {
    at::set_num_threads(static_cast<int>(options_.threads.at(0)));
    measure::CapOptions caps{options_.models, options_.methods, options_.sizes, cap_mib_ << kMib};
    if (keep_mib_) caps.keep_bytes = *keep_mib_ << kMib;
    caps.limit = limit_;
    print(measure::run_caps(caps, progress), {{"memory_cap_mib", cap_mib_}, {"threads", options_.threads.at(0)}});
  }

  static void progress(const std::string& what) { print_note("measuring " + what); }

  template <class Row>
  void print(const std::vector<Row>& rows, const Json& more) const {
    if (!json_) return print_text(measure::to_markdown(rows));
    Json json{{"machine", machine()},
              {"versions", {{"ghostgrad", GHOSTGRAD_VERSION}, {"torch", TORCH_VERSION}, {"compiler", __VERSION__}}},
              {"commit", commit_}};
    json.update(more);
    json["rows"] = Json::array();
    for (const Row& row : rows) json["rows"].push_back(to_json(row));
    print_json(json);
  }

  const CLI::App* app_;
  measure::BenchOptions options_;
  std::optional<int64_t> keep_mib_;
  int64_t cap_mib_ = 0;
  int64_t limit_ = 1024;
  std::string commit_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_bench(CLI::App& app) { return std::make_unique<Bench>(app); }

}  // namespace ghostgrad::cli
