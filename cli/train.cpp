// SPDX-License-Identifier: Apache-2.0
// ghostgrad train: from a data set and a budget to a model and what it cost.
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/train_files.h"
#include "cli/train_options.h"
#include "cli/train_samples.h"
#include <algorithm>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"
#include "ghostgrad/data/open.h"
#include "ghostgrad/engine/trainer.h"
#include "ghostgrad/models/make.h"

namespace ghostgrad::cli {
namespace {

bool is_of_its_kind(const models::Architecture& model, const data::Dataset& dataset) {
  return model.task == dataset.task && (model.input == models::Input::tokens) == (dataset.vocabulary > 0);
}

bool fits(const models::Architecture& model, const data::Dataset& dataset) {
  const auto sides = dataset.inputs.sizes().slice(1).slice(1);
  const auto is_enough = [&](int64_t side) { return side >= model.smallest_side; };
  return is_of_its_kind(model, dataset) && (model.input != models::Input::images || std::all_of(sides.begin(), sides.end(), is_enough));
}

std::string what_is_wrong(const models::Architecture& model, const data::Dataset& dataset) {
  if (!is_of_its_kind(model, dataset)) return fmt::format("does not fit the examples of {}", dataset.name);
  return fmt::format("takes images of at least {0} x {0}, and those of {1} are smaller", model.smallest_side, dataset.name);
}

std::shared_ptr<models::Model> make_model(const std::string& name, const data::Dataset& dataset) {
  const auto& model = models::find(name);
  if (!fits(model, dataset)) {
    std::vector<std::string_view> fitting;
    for (const auto& row : models::architectures()) {
      if (fits(row, dataset)) fitting.push_back(row.name);
    }
    throw base::InvalidArgument("model", what_is_wrong(model, dataset), '"' + name + '"',
                                fmt::format("choose one of {}", fmt::join(fitting, ", ")));
  }
  return models::make(name, {dataset.inputs.sizes().slice(1).vec(), dataset.classes, dataset.vocabulary});
}

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

std::string in_words(const engine::AdaptiveClipping& adaptive, const engine::Summary& summary, int64_t batch) {
  const auto noise = engine::split_noise(adaptive, summary.statement.noise_multiplier, static_cast<double>(batch));
  return fmt::format(
      "adaptive, quantile {}, rate {}: C from {:.4g} to {:.4g}, with noise multiplier {:.4g} of the sum and noise {:.4g} of the count",
      adaptive.quantile, adaptive.rate, summary.clip, summary.final_clip, noise.sum, noise.count);
}

void print_summary(const engine::Summary& summary, const engine::TrainerOptions& options, const TrainFiles& files) {
  std::vector<std::pair<std::string, std::string>> fields;
  if (summary.interrupted)
    fields.emplace_back("stopped", fmt::format("after {} of {} steps", summary.statement.steps, summary.planned_steps));
  if (summary.test.value) fields.emplace_back(fmt::format("test {}", summary.test.metric), engine::in_words(summary.test));
  fields.emplace_back("speed", fmt::format("{} examples/s, {:.1f} s", with_commas(summary.examples_per_second), summary.seconds));
  fields.emplace_back("method", calls_in_words(summary.report));
  if (options.adaptive_clipping) fields.emplace_back("clipping", in_words(*options.adaptive_clipping, summary, options.batch));
  if (files.wanted()) fields.emplace_back("written", files.in_words());
  print_fields(fields);
  print_text('\n' + privacy::to_text(summary.statement));
}

void print_samples(const std::vector<Sample>& samples) {
  for (const auto& [prompt, text] : samples) print_text(fmt::format("\n{}\n  {}\n", prompt, text));
}

nlohmann::json to_json(const std::vector<Sample>& samples) {
  auto json = nlohmann::json::array();
  for (const auto& [prompt, text] : samples) json.push_back({{"prompt", prompt}, {"text", text}});
  return json;
}

class Train : public Command {
 public:
  explicit Train(CLI::App& app) { add_train_options(app, options_); }

  int run() override {
    engine::check(options_.trainer);
    const TrainFiles files(options_.out, options_.force);
    if (options_.threads) at::set_num_threads(*options_.threads);
    at::manual_seed(options_.seed);
    auto split = data::open(options_.data, options_.text);
    const auto text = split.text;
    if (options_.samples && split.train.task != base::Task::language_model) {
      throw base::InvalidArgument("samples", "are written by a language model", '"' + options_.data + '"',
                                  "leave it out, or train one on e2e:DIR");
    }
    const auto model = make_model(options_.model, split.train);
    engine::Trainer trainer(engine::TrainedModel(model), std::move(split), options_.trainer);
    announce(trainer.schedule());
    ProgressDisplay display;
    const Interrupt interrupt;
    const auto summary =
        trainer.train({.progress = [&](const engine::Progress& now) { show(display, now); }, .stop = interrupt.requested()});
    display.finish();
    finish(summary, text ? samples_of(*model, *text, options_.samples.value_or(kUsualSamples)) : std::vector<Sample>(), files, *model);
    return summary.interrupted ? kSignal + interrupt.signal() : kDone;
  }

 private:
  void announce(const engine::Schedule& schedule) const {
    print_warnings(all_warnings(schedule.planned));
    if (!options_.quiet) print_note(in_words(schedule, options_));
  }

  void show(ProgressDisplay& display, const engine::Progress& now) const {
    if (!options_.quiet) display.show(now);
  }

  void finish(const engine::Summary& summary, const std::vector<Sample>& samples, const TrainFiles& files,
              const models::Model& model) const {
    auto json = engine::to_json(summary);
    json.update(as_json(options_, summary.statement.noise_multiplier));
    if (!samples.empty()) json["samples"] = to_json(samples);
    files.write(model, json);
    if (options_.json) return print_json(json);
    print_summary(summary, options_.trainer, files);
    print_samples(samples);
  }

  TrainCommandOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_train(CLI::App& app) { return std::make_unique<Train>(app); }

}  // namespace ghostgrad::cli
