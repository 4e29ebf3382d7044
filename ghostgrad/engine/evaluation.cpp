// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>

namespace ghostgrad::engine {
namespace {

class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& module) : module_(module), was_training_(module.is_training()) { module_.eval(); }
  ~EvaluationMode() { module_.train(was_training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_training_;
};

/// Calls use(logits, targets) for all examples, some at a time.
template <class Use>
void run(const TrainedModel& model, const data::Dataset& dataset, int64_t at_a_time, Use use) {
  const at::NoGradGuard no_grad;
  const EvaluationMode evaluation(*model.module);
  for (int64_t start = 0; start < dataset.size(); start += at_a_time) {
    const int64_t count = std::min(at_a_time, dataset.size() - start);
    use(model.forward(dataset.inputs.narrow(0, start, count)), dataset.targets.narrow(0, start, count));
  }
}

}  // namespace

double accuracy(const TrainedModel& model, const data::Dataset& dataset, int64_t at_a_time) {
  int64_t right = 0;
  run(model, dataset, at_a_time,
      [&](const at::Tensor& logits, const at::Tensor& targets) { right += logits.argmax(1).eq(targets).sum().item<int64_t>(); });
  return static_cast<double>(right) / static_cast<double>(dataset.size());
}

double perplexity(const TrainedModel& model, const data::Dataset& dataset, int64_t at_a_time) {
  double total = 0;
  int64_t tokens = 0;
  run(model, dataset, at_a_time, [&](const at::Tensor& logits, const at::Tensor& targets) {
    total += token_losses(logits, targets).sum(at::kDouble).item<double>();
    tokens += targets.ne(data::kIgnored).sum().item<int64_t>();
  });
  return tokens == 0 ? std::numeric_limits<double>::infinity() : std::exp(total / static_cast<double>(tokens));
}

at::Tensor token_losses(const at::Tensor& logits, const at::Tensor& targets) {
  return at::cross_entropy_loss(logits.flatten(0, 1), targets.flatten(), {}, at::Reduction::None, data::kIgnored).view(targets.sizes());
}

}  // namespace ghostgrad::engine
