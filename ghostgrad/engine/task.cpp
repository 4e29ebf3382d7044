// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/task.h"

#include <array>

#include <ATen/ops/cross_entropy_loss.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::engine {
namespace {

constexpr int64_t kAtATime = 256;          // examples of a forward without gradients
constexpr int64_t kSequencesAtATime = 32;  // their logits are T times larger

at::Tensor class_losses(const at::Tensor& logits, const at::Tensor& targets) {
  return at::cross_entropy_loss(logits, targets, {}, at::Reduction::None);
}

at::Tensor sequence_losses(const at::Tensor& logits, const at::Tensor& targets) {
  const at::Tensor tokens = token_losses(logits, targets);
  return tokens.sum(1) / targets.ne(data::kIgnored).sum(1).clamp_min(1);
}

[[noreturn]] void refuse_targets(const data::Dataset& dataset, const std::string& wanted) {
  throw base::InvalidArgument(dataset.name, wanted, "other targets", "check the labels and the number of classes");
}

bool within(const at::Tensor& targets, int64_t classes) {
  return targets.numel() == 0 || (targets.min().item<int64_t>() >= 0 && targets.max().item<int64_t>() < classes);
}

void check_classes(const data::Dataset& dataset) {
  const at::Tensor& targets = dataset.targets;
  const bool shaped = targets.dim() == 1 && targets.size(0) == dataset.size() && targets.scalar_type() == at::kLong;
  if (!shaped || !within(targets, dataset.classes)) {
    refuse_targets(dataset,
                   fmt::format("must have one target for each of its {} inputs, an integer in [0, {})", dataset.size(), dataset.classes));
  }
}

void check_sequences(const data::Dataset& dataset) {
  const at::Tensor &targets = dataset.targets, &inputs = dataset.inputs;
  const bool shaped =
      inputs.dim() == 2 && inputs.scalar_type() == at::kLong && targets.scalar_type() == at::kLong && targets.sizes() == inputs.sizes();
  if (!shaped || !within(inputs, dataset.classes) || !within(targets.masked_select(targets.ne(data::kIgnored)), dataset.classes)) {
    refuse_targets(dataset,
                   fmt::format("must have tokens, and a target for each: integers in [0, {}), or {} where nothing is to be learned",
                               dataset.classes, data::kIgnored));
  }
}

constexpr std::array<TaskRow, 2> kTasks{{
    {base::Task::classification, "accuracy", class_losses, check_classes, accuracy},
    {base::Task::language_model, "perplexity", sequence_losses, check_sequences, perplexity},
}};

}  // namespace

const TaskRow& row_of(base::Task task) { return task == base::Task::classification ? kTasks[0] : kTasks[1]; }

Score score_of(const TrainedModel& model, const data::Dataset& dataset) {
  const TaskRow& row = row_of(dataset.task);
  if (dataset.size() == 0) return {row.metric};
  return {row.metric, row.evaluate(model, dataset, dataset.task == base::Task::classification ? kAtATime : kSequencesAtATime)};
}

std::string in_words(const Score& score) {
  if (!score.value) return {};
  return score.metric == "accuracy" ? fmt::format("{:.2f} %", 100 * *score.value) : fmt::format("{:.4g}", *score.value);
}

}  // namespace ghostgrad::engine
