// SPDX-License-Identifier: Apache-2.0
// ghostgrad bench: every method against ordinary training, interleaved in one process (measure/bench.h).
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

namespace ghostgrad::cli {
namespace {

/// "model name" of the first processor, where the system tells.
std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

nlohmann::ordered_json to_json(const measure::BenchRow& row) {
  nlohmann::ordered_json json{{"model", row.model},
                              {"what", row.what},
                              {"method", row.method},
                              {"median_ms", row.median_ms},
                              {"minimum_ms", row.minimum_ms},
                              {"ratio", row.ratio},
                              {"minimum_ratio", row.minimum_ratio},
                              {"peak_bytes", row.peak_bytes}};
  json["error"] = row.error >= 0 ? nlohmann::ordered_json(row.error) : nlohmann::ordered_json(nullptr);
  return json;
}

class Bench : public Command {
 public:
  explicit Bench(CLI::App& app) {
    add_json_flag(app, json_);
    app.add_option("--model", options_.models, "workloads: " + names_of(measure::workloads()))->capture_default_str();
    app.add_option("--method", options_.methods, "methods: " + names_of(clip::methods()) + " (default: all)");
    app.add_option("--batch", options_.batch, "examples per physical batch (default: each workload's own)")->check(CLI::NonNegativeNumber);
    app.add_option("--rounds", options_.rounds, "interleaved rounds")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--threads", threads_, "threads of tensor operations")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_flag("--check", options_.check, "also measure the error against one example at a time in float64 (slow)");
    app.add_option("--commit", commit_, "recorded in the JSON");
  }

  int run() override {
    at::set_num_threads(threads_);
    const auto rows = measure::run_bench(options_, [](const std::string& model) { print_note("measuring " + model); });
    if (json_) {
      nlohmann::ordered_json json{{"machine", {{"processor", processor()}, {"threads", threads_}}},
                                  {"versions", {{"ghostgrad", GHOSTGRAD_VERSION}, {"torch", TORCH_VERSION}, {"compiler", __VERSION__}}},
                                  {"commit", commit_},
                                  {"rounds", options_.rounds}};
      json["rows"] = nlohmann::ordered_json::array();
      for (const auto& row : rows) json["rows"].push_back(to_json(row));
      print_json(json);
    } else {
      print_text(measure::to_markdown(rows));
    }
    return kDone;
  }

 private:
  measure::BenchOptions options_;
  int threads_ = 1;
  std::string commit_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_bench(CLI::App& app) { return std::make_unique<Bench>(app); }

}  // namespace ghostgrad::cli
