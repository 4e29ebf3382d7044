// SPDX-License-Identifier: Apache-2.0
// ghostgrad bench: every method against ordinary training, interleaved in one process (measure/bench.h); with --memory-cap the largest
// physical batch of every method instead (measure/largest_batch.h).
#include "ghostgrad/measure/bench.h"

#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"
#include <fstream>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "ghostgrad/clip/method.h"
#include "ghostgrad/measure/largest_batch.h"

namespace ghostgrad::cli {
namespace {

using Json = nlohmann::ordered_json;

/// "model name" of the first processor, where the system tells.
std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

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
            {"formula_ratio", row.formula_ratio},
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
  explicit Bench(CLI::App& app) {
    add_json_flag(app, json_);
    app.add_option("--model", options_.models, "names of `ghostgrad models`")->capture_default_str();
    app.add_option("--method", options_.methods, "methods: " + names_of(clip::methods()) + " (default: all)");
    app.add_option("--batch", options_.batches, "examples per physical batch, one or several (0: each model's own)")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_option("--threads", options_.threads, "threads of tensor operations, one or several")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--side", options_.sizes.side, "height and width of images instead of the model's own")->check(CLI::PositiveNumber);
    app.add_option("--positions", options_.sizes.positions, "tokens of a sequence (128)")->check(CLI::PositiveNumber);
    app.add_option("--vocabulary", options_.sizes.vocabulary, "tokens that there are")->check(CLI::PositiveNumber);
    app.add_option("--rounds", options_.rounds, "interleaved rounds")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--seconds", options_.seconds, "a method that has run for so long takes part in 3 rounds only")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_flag("--check", options_.check, "also measure the error against one example at a time in float64 (slow)");
    app.add_option("--memory-cap", cap_mib_, "MiB: find the largest physical batch below this instead")->check(CLI::PositiveNumber);
    app.add_option("--limit", limit_, "the largest batch that is tried below a memory cap")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--commit", commit_, "recorded in the JSON");
  }

  int run() override {
    if (cap_mib_ > 0) {
      at::set_num_threads(static_cast<int>(options_.threads.at(0)));
      const measure::CapOptions caps{options_.models, options_.methods, options_.sizes, cap_mib_ << 20, limit_};
      print(measure::run_caps(caps, progress), {{"memory_cap_mib", cap_mib_}, {"threads", options_.threads.at(0)}});
    } else {
      print(measure::run_bench(options_, progress), Json::object());
    }
    return kDone;
  }

 private:
  static void progress(const std::string& what) { print_note("measuring " + what); }

  template <class Row>
  void print(const std::vector<Row>& rows, const Json& more) const {
    if (!json_) return print_text(measure::to_markdown(rows));
    Json json{{"machine", {{"processor", processor()}}},
              {"versions", {{"ghostgrad", GHOSTGRAD_VERSION}, {"torch", TORCH_VERSION}, {"compiler", __VERSION__}}},
              {"commit", commit_}};
    json.update(more);
    json["rows"] = Json::array();
    for (const Row& row : rows) json["rows"].push_back(to_json(row));
    print_json(json);
  }

  measure::BenchOptions options_;
  int64_t cap_mib_ = 0;
  int64_t limit_ = 1024;
  std::string commit_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_bench(CLI::App& app) { return std::make_unique<Bench>(app); }

}  // namespace ghostgrad::cli
