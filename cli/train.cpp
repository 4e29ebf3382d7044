// SPDX-License-Identifier: Apache-2.0
// ghostgrad train: from a data set and a budget to a model and what it cost.
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/train_files.h"
#include "cli/train_options.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/data/open.h"
#include "ghostgrad/engine/trainer.h"
#include "ghostgrad/models/make.h"

namespace ghostgrad::cli {
namespace {

std::vector<int64_t> shape_of_one(const data::Dataset& dataset) { return dataset.inputs.sizes().slice(1).vec(); }

std::string in_words(const engine::Schedule& schedule, const TrainCommandOptions& options) {
  const auto& planned = schedule.planned;
  return fmt::format("{} examples, {} steps of {} expected ({} at a time), noise multiplier {:.4g}: epsilon {} at delta {}",
                     with_commas(static_cast<double>(*planned.data_set_size)), with_commas(static_cast<double>(schedule.steps)),
                     options.trainer.batch, options.trainer.physical_batch, schedule.noise_multiplier, privacy::rounded_up(planned.epsilon),
                     planned.delta);
}

std::string calls_in_words(const engine::Report& report) {
  std::string text = report.method;
  for (const auto& [rule, calls] : report.by_rule)
    text += fmt::format("{}{} {}", &calls == &report.by_rule.begin()->second ? ": " : ", ", rule, calls);
  return text;
}

void print_summary(const engine::Summary& summary, const TrainFiles& files) {
  std::vector<std::pair<std::string, std::string>> fields;
  if (summary.interrupted)
    fields.emplace_back("stopped", fmt::format("after {} of {} steps", summary.statement.steps, summary.planned_steps));
  if (summary.test_accuracy) fields.emplace_back("test accuracy", fmt::format("{:.2f} %", 100 * *summary.test_accuracy));
  fields.emplace_back("speed", fmt::format("{} examples/s, {:.1f} s", with_commas(summary.examples_per_second), summary.seconds));
  fields.emplace_back("method", calls_in_words(summary.report));
  if (files.wanted()) fields.emplace_back("written", files.in_words());
  print_fields(fields);
  print_text('\n' + privacy::to_text(summary.statement));
}

class Train : public Command {
 public:
  explicit Train(CLI::App& app) { add_train_options(app, options_); }

  int run() override {
    engine::check(options_.trainer);
    const TrainFiles files(options_.out, options_.force);
    if (options_.threads) at::set_num_threads(*options_.threads);
    at::manual_seed(options_.seed);
    auto trainer = make_trainer();
    announce(trainer.schedule());
    ProgressDisplay display;
    const Interrupt interrupt;
    const auto summary =
        trainer.train({.progress = [&](const engine::Progress& now) { show(display, now); }, .stop = interrupt.requested()});
    display.finish();
    const auto json = to_json(summary);
    files.write(*trainer.model().module, json);
    options_.json ? print_json(json) : print_summary(summary, files);
    return summary.interrupted ? kSignal + interrupt.signal() : kDone;
  }

 private:
  [[nodiscard]] engine::Trainer make_trainer() const {
    auto split = data::open(options_.data);
    auto model = models::make(options_.model, {.input_shape = shape_of_one(split.train), .classes = split.train.classes});
    return {engine::TrainedModel(std::move(model)), std::move(split), options_.trainer};
  }

  void announce(const engine::Schedule& schedule) const {
    print_warnings(all_warnings(schedule.planned));
    if (!options_.quiet) print_note(in_words(schedule, options_));
  }

  void show(ProgressDisplay& display, const engine::Progress& now) const {
    if (!options_.quiet) display.show(now);
  }

  [[nodiscard]] nlohmann::json to_json(const engine::Summary& summary) const {
    auto json = engine::to_json(summary);
    json.update(as_json(options_));
    return json;
  }

  TrainCommandOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_train(CLI::App& app) { return std::make_unique<Train>(app); }

}  // namespace ghostgrad::cli
