// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/evaluation.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

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

}  // namespace

double accuracy(const TrainedModel& model, const data::Dataset& dataset, int64_t at_a_time) {
  const at::NoGradGuard no_grad;
  const EvaluationMode evaluation(*model.module);
  int64_t right = 0;
  for (int64_t start = 0; start < dataset.size(); start += at_a_time) {
    const int64_t count = std::min(at_a_time, dataset.size() - start);
    const at::Tensor answers = model.forward(dataset.inputs.narrow(0, start, count)).argmax(1);
    right += answers.eq(dataset.targets.narrow(0, start, count)).sum().item<int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(dataset.size());
}

}  // namespace ghostgrad::engine
