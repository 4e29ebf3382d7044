// SPDX-License-Identifier: Apache-2.0
#include "cli/train_options.h"

#include "cli/bounds.h"
#include "cli/config.h"
#include "cli/output.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/clip/clip_function.h"
#include "ghostgrad/clip/groups.h"
#include "ghostgrad/clip/method.h"
#include "ghostgrad/data/open.h"
#include "ghostgrad/privacy/accountants.h"

namespace ghostgrad::cli {
namespace {

std::string sources() {
  std::vector<std::string> specs;
  for (const auto& source : data::sources()) specs.emplace_back(source.spec);
  return alternatives(specs);
}

std::string learning_rates() {
  std::string text;
  for (const auto& row : engine::optimizers()) text += fmt::format("{}{} for {}", text.empty() ? "" : ", ", row.lr, row.name);
  return text;
}

std::string momenta() {
  std::string text;
  for (const auto& row : engine::optimizers()) {
    if (row.momentum) text += fmt::format("{}{} for {}", text.empty() ? "" : ", ", *row.momentum, row.name);
  }
  return text;
}

std::string constants() {
  std::string text;
  for (const auto& row : clip::clip_functions()) {
    if (!row.constant.empty()) text += fmt::format("{}{} = {} for {}", text.empty() ? "" : ", ", row.constant, row.usual, row.name);
  }
  return text;
}

void add_adaptive_options(CLI::App& app, engine::TrainerOptions& options) {
  const std::string group = "Adaptive clipping (C starts at --clip and follows a quantile of the gradient norms)";
  const auto chosen = [&options]() -> engine::AdaptiveClipping& {
    if (!options.adaptive_clipping) options.adaptive_clipping.emplace();
    return *options.adaptive_clipping;
  };
  auto* const quantile = app.add_option_function<double>(
      "--adaptive-quantile", [chosen](double value) { chosen().quantile = value; }, "where C is to settle, e.g. 0.5 for the median");
  quantile->group(group);
  app.add_option_function<double>(
         "--adaptive-rate", [chosen](double value) { chosen().rate = value; }, "how fast C moves; 0.2 if not given")
      ->needs(quantile)
      ->group(group);
  app.add_option_function<double>(
         "--adaptive-noise", [chosen](double value) { chosen().count_noise = value; },
         "noise of the count of a batch; a twentieth of the batch if not given")
      ->needs(quantile)
      ->group(group);
}

void add_privacy_options(CLI::App& app, engine::TrainerOptions& options) {
  const std::string group = "Privacy (one of --epsilon and --noise-multiplier must be given)";
  app.add_option("--epsilon", options.epsilon, "the privacy budget; the least noise that keeps within it is found")->group(group);
  app.add_option("--noise-multiplier", options.noise_multiplier, "sigma itself; 0 trains without privacy")->group(group);
  app.add_option("--delta", options.delta, "should be below 1 / number of examples")->capture_default_str()->group(group);
  app.add_option("--clip", options.clip,
                 fmt::format("C, the length that each example's gradient is clipped to; {} if not given", clip::kUsualThreshold))
      ->group(group);
  app.add_option("--clip-function", options.clip_function, names_of(clip::clip_functions()))->capture_default_str()->group(group);
  app.add_option("--clip-constant", options.clip_constant, "the constant of the clip function: " + constants())->group(group);
  app.add_option("--groups", options.groups,
                 "what is clipped together: flat, per_layer, per_block or per_parameter, together to C; or PREFIX=C,PREFIX=C,... in place "
                 "of --clip")
      ->capture_default_str()
      ->group(group);
  app.add_option("--accountant", options.accountant, names_of(privacy::accountants()))->capture_default_str()->group(group);
}

void add_text_options(CLI::App& app, TrainCommandOptions& options) {
  const std::string group = "Text";
  app.add_option("--tokenizer", options.text.tokenizer,
                 "bytes (if not given), or bpe, which is learned from the training texts: what its tokens tell of them is not private")
      ->group(group);
  app.add_option("--vocabulary", options.text.vocabulary, "tokens of bpe; 1000 if not given")->group(group);
  app.add_option("--positions", options.text.positions,
                 "tokens that a text may have, longer ones are cut; 320 for bytes, 128 for bpe if not given")
      ->group(group);
  app.add_option("--samples", options.samples,
                 fmt::format("texts for a language model to write when it is trained; {} if not given", kUsualSamples))
      ->check(at_least(0))
      ->group(group);
}

void add_training_options(CLI::App& app, engine::TrainerOptions& options) {
  const std::string group = "Training";
  app.add_option("--batch", options.batch, "expected examples per step; each is drawn with probability batch / number of examples")
      ->capture_default_str()
      ->group(group);
  app.add_option("--epochs", options.epochs, "how often each example is drawn on average")->capture_default_str()->group(group);
  app.add_option("--optimizer", options.optimizer.name, names_of(engine::optimizers()))->capture_default_str()->group(group);
  app.add_option("--lr", options.optimizer.lr, "learning rate; " + learning_rates() + " if not given")->group(group);
  app.add_option("--momentum", options.optimizer.momentum, momenta() + " if not given")->group(group);
}

void add_machine_options(CLI::App& app, TrainCommandOptions& options) {
  const std::string group = "Machine (no influence on privacy)";
  app.add_option("--method", options.trainer.method, "how the clipped sum is formed; see `ghostgrad methods`")
      ->capture_default_str()
      ->group(group);
  app.add_option("--physical-batch", options.trainer.physical_batch, "examples in memory at a time")->capture_default_str()->group(group);
  app.add_option_function<int64_t>(
         "--keep-bytes", [&options](int64_t mib) { options.trainer.keep_bytes = mib << 20; },
         "MiB of instantiated gradients that `auto` may keep; 1024 if not given")
      ->check(at_least(0))
      ->group(group);
  app.add_option("--seed", options.seed, "of the initial parameters; noise and sampling never depend on it")
      ->capture_default_str()
      ->group(group);
  app.add_option("--threads", options.threads, "as many as there are cores if not given")->check(CLI::Range(1, 4096))->group(group);
}

void add_output_options(CLI::App& app, TrainCommandOptions& options) {
  const std::string group = "Output";
  app.add_option("--out", options.out, "directory for model.pt and summary.json")->group(group);
  app.add_flag("--force", options.force, "replace these files if they exist")->group(group);
  app.add_flag_callback(
         "--no-train-loss", [&options] { options.trainer.report_loss = false; },
         "do not show the training loss, which is computed from the private examples without noise: it is for your eyes only")
      ->group(group);
  app.add_flag("--quiet", options.quiet, "no progress on standard error")->group(group);
  add_json_flag(app, options.json);
}

nlohmann::json as_json(const engine::AdaptiveClipping& adaptive, const engine::SplitNoise& noise) {
  return {{"quantile", adaptive.quantile}, {"rate", adaptive.rate}, {"count_noise", noise.count}, {"sum_noise_multiplier", noise.sum}};
}

}  // namespace

void add_train_options(CLI::App& app, TrainCommandOptions& options) {
  app.add_option("--data", options.data, sources())->capture_default_str();
  app.add_option("--model", options.model, "see `ghostgrad models`")->capture_default_str();
  add_config(app);
  add_privacy_options(app, options.trainer);
  add_adaptive_options(app, options.trainer);
  add_training_options(app, options.trainer);
  add_text_options(app, options);
  add_machine_options(app, options);
  add_output_options(app, options);
  app.footer(
      "Ctrl-C ends after the step under way, writes everything, and exits 130; a second one kills.\n"
      "Exit: 0 done, 1 failed, 2 wrong usage, 3 going on would void the guarantee.");
}

nlohmann::json as_json(const TrainCommandOptions& options, double noise_multiplier) {
  const auto& trainer = options.trainer;
  const auto& adaptive = trainer.adaptive_clipping;
  const auto optimizer = engine::with_defaults(trainer.optimizer);
  return {{"data", options.data},
          {"model", options.model},
          {"clip_function", trainer.clip_function},
          {"groups", trainer.groups},
          {"clip_constant", clip::constant_of(clip::find_clip_function(trainer.clip_function), trainer.clip_constant)},
          {"adaptive_clipping",
           adaptive ? as_json(*adaptive, engine::split_noise(*adaptive, noise_multiplier, static_cast<double>(trainer.batch)))
                    : nlohmann::json()},
          {"expected_batch_size", trainer.batch},
          {"physical_batch", trainer.physical_batch},
          {"epochs", trainer.epochs},
          {"optimizer", optimizer.name},
          {"lr", *optimizer.lr},
          {"momentum", optimizer.momentum ? nlohmann::json(*optimizer.momentum) : nlohmann::json()},
          {"seed", options.seed}};
}

}  // namespace ghostgrad::cli
