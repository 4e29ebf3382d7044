// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::engine {
namespace {

/// Enough for the independence check, which runs the model about ten times.
constexpr int64_t kCheckedExamples = 32;

void check_data(const data::Dataset& dataset) {
  row_of(dataset.task).check(dataset);
  data::check_finite(dataset);
}

PlanOptions plan_of(const TrainerOptions& options, const Schedule& schedule) {
  return {.clip = options.clip,
          .noise_multiplier = schedule.noise_multiplier,
          .expected_batch_size = static_cast<double>(options.batch),
          .sample_rate = schedule.sample_rate,
          .method = options.method,
          .clip_function = options.clip_function,
          .clip_constant = options.clip_constant,
          .groups = options.groups,
          .adaptive_clipping = options.adaptive_clipping,
          .accountant = options.accountant,
          .performance = {.keep_bytes = options.keep_bytes.value_or(PerformanceOptions().keep_bytes)}};
}

sample::PoissonOptions sampling_of(const TrainerOptions& options, const Schedule& schedule, int64_t data_set_size) {
  return {.data_set_size = data_set_size,
          .sample_rate = schedule.sample_rate,
          .steps = schedule.steps,
          .physical_batch_size = std::min(options.physical_batch, data_set_size)};
}

}  // namespace

Trainer::Trainer(TrainedModel model, data::Split split, TrainerOptions options, TrainerKeys keys)
    : model_(std::move(model)),
      split_(std::move(split)),
      options_(std::move(options)),
      schedule_(make_schedule(options_, split_.train.size())),
      sampler_(sampling_of(options_, schedule_, split_.train.size()), std::move(keys.sampling)),
      engine_(model_.module->named_parameters(), Plan(plan_of(options_, schedule_)), std::move(keys.noise)),
      optimizer_(make_optimizer(options_.optimizer, model_.module->parameters())) {
  check_data(split_.train);
  check_data(split_.test);
  auto& warnings = schedule_.planned.warnings;
  for (const auto& more : {engine_.plan().warnings(), split_.train.warnings}) warnings.insert(warnings.end(), more.begin(), more.end());
}

Summary Trainer::train(const TrainerHooks& hooks) {
  const auto stopped = [&] { return hooks.stop != nullptr && hooks.stop->load(); };
  model_.module->train();
  check_independence();
  while (engine_.steps() < schedule_.steps && !stopped()) {
    step();
    const Progress now = progress();
    if (hooks.progress) hooks.progress(now);
  }
  return summary();
}

void Trainer::check_independence() {
  if (std::exchange(checked_, true)) return;
  const int64_t examples = std::min(kCheckedExamples, split_.train.size());
  const Batch batch{split_.train.inputs.narrow(0, 0, examples), split_.train.targets.narrow(0, 0, examples)};
  engine_.check_independence([this](const Batch& some) { return losses(some); }, batch);
}

void Trainer::step() {
  const auto start = std::chrono::steady_clock::now();
  const auto logical = sampler_.draw(engine_.steps());
  for (const auto& batch : sample::physical_batches(logical, split_.train)) backward(batch);
  engine_.step(*optimizer_);
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Trainer::backward(const sample::PhysicalBatch& batch) {
  std::vector<at::Tensor> seen;  // one entry for the batch; one per example for the method that runs them alone
  const auto loss_fn = [&](const Batch& some) {
    at::Tensor result = losses(some);
    if (options_.report_loss) seen.push_back(result.detach());
    return result;
  };
  engine_.backward(loss_fn, {batch.inputs, batch.targets}, batch.mask);
  if (!seen.empty()) remember_loss(at::cat(seen), batch.mask);
}

at::Tensor Trainer::losses(const Batch& batch) const { return row_of(split_.train.task).losses(model_.forward(batch[0]), batch[1]); }

void Trainer::remember_loss(const at::Tensor& losses, const at::Tensor& mask) {
  const at::Tensor counted = losses.numel() == mask.numel() ? losses.masked_select(mask) : losses;
  const at::Tensor finite = counted.masked_select(counted.isfinite());
  loss_sum_ += finite.sum().item<double>();
  losses_seen_ += finite.numel();
}

Progress Trainer::progress() {
  const int64_t step = engine_.steps();
  Progress now;
  now.step = step;
  now.steps = schedule_.steps;
  now.epoch = schedule_.sample_rate * static_cast<double>(step);
  now.epochs = options_.epochs;
  now.epoch_ended = step == schedule_.steps || std::floor(now.epoch) > std::floor(schedule_.sample_rate * static_cast<double>(step - 1));
  now.epsilon = [this] { return engine_.epsilon(options_.delta); };
  if (losses_seen_ > 0) now.loss = loss_sum_ / static_cast<double>(losses_seen_);
  now.examples_per_second = examples_per_second();
  if (now.epoch_ended) {
    now.test = test_score();
    loss_sum_ = 0;
    losses_seen_ = 0;
  }
  return now;
}

double Trainer::examples_per_second() const {
  return seconds_ > 0 ? static_cast<double>(options_.batch) * static_cast<double>(engine_.steps()) / seconds_ : 0;
}

const Score& Trainer::test_score() {
  if (std::exchange(evaluated_at_, engine_.steps()) != engine_.steps()) test_ = score_of(model_, split_.test);
  return test_;
}

Summary Trainer::summary() {
  Summary summary;
  summary.statement = engine_.statement(options_.delta);
  summary.report = engine_.report();
  summary.test = test_score();
  summary.planned_steps = schedule_.steps;
  summary.planned_epsilon = schedule_.planned.epsilon;
  summary.final_clip = engine_.threshold();
  summary.clip = engine_.plan().options().clip.value_or(summary.final_clip);  // where groups say it, it does not adapt
  summary.interrupted = engine_.steps() < schedule_.steps;
  summary.seconds = seconds_;
  summary.examples_per_second = examples_per_second();
  privacy::PrivacyStatement& statement = summary.statement;
  statement.data_set_size = split_.train.size();
  statement.noise_is_private = statement.noise_is_private && sampler_.is_private();
  for (const auto* warnings : {&summary.report.warnings, &split_.train.warnings})
    statement.warnings.insert(statement.warnings.end(), warnings->begin(), warnings->end());
  if (summary.interrupted) {
    statement.warnings.push_back(
        fmt::format("stopped after {} of {} steps: if what was seen of the run decided when, count the whole plan, epsilon {:.4g}",
                    engine_.steps(), schedule_.steps, summary.planned_epsilon));
  }
  return summary;
}

}  // namespace ghostgrad::engine
