// SPDX-License-Identifier: Apache-2.0
// What a task asks of a data set, which losses it has, and how well a model does it. One row for each base::Task.
//
//     classification    losses_i = cross entropy of the class                                 accuracy
//     language_model    losses_i = mean cross entropy over the tokens of sequence i alone     perplexity, exp(mean over all tokens)
//
//     const TaskRow& task = row_of(dataset.task);
//     at::Tensor losses = task.losses(model.forward(inputs), targets);       // [B]
//     Score score = score_of(model, test);                                   // {"accuracy", 0.931}
//
// Guarantee: a loss depends on its own example alone; a sequence is divided by its own number of tokens, never by the batch's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "ghostgrad/base/task.h"
#include "ghostgrad/data/dataset.h"
#include "ghostgrad/engine/evaluation.h"

namespace ghostgrad::engine {

struct TaskRow {
  base::Task task;
  std::string_view metric;
  /// logits [B, classes] or [B, T, tokens], targets [B] or [B, T] -> [B]
  at::Tensor (*losses)(const at::Tensor& logits, const at::Tensor& targets);
  /// Throws InvalidArgument for targets that are none of this task's, without naming them.
  void (*check)(const data::Dataset& dataset);
  double (*evaluate)(const TrainedModel& model, const data::Dataset& dataset, int64_t at_a_time);
};

[[nodiscard]] const TaskRow& row_of(base::Task task);

/// How well a model does on examples that it was not trained on.
struct Score {
  std::string_view metric = "accuracy";
  std::optional<double> value{};  // nothing without such examples
};

[[nodiscard]] Score score_of(const TrainedModel& model, const data::Dataset& dataset);

/// "93.10 %" of accuracy, "4.213" of others; nothing without a value.
[[nodiscard]] std::string in_words(const Score& score);

}  // namespace ghostgrad::engine
