// SPDX-License-Identifier: Apache-2.0
// The whole loop: private training of a classifier or a language model on a data set in memory [Abadi16, Alg. 1, with Poisson
// sampling].
//
//     Trainer trainer(TrainedModel(model), split, {.epsilon = 3, .delta = 1e-5, .epochs = 10});
//     const Summary summary = trainer.train({.progress = show, .stop = &ctrl_c});
//
// What is learned and how it is scored says the data set's task (task.h). For any other losses write the ten lines of engine.h yourself;
// they are the same loop.
//
// Guarantee: of the training examples, everything but Progress::loss leaves through releases alone, and the summary states what those cost.
// The independence check runs before the first step. Hyper-parameters that were chosen by looking at other runs on the same examples are
// not accounted for here.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "ghostgrad/data/dataset.h"
#include "ghostgrad/engine/engine.h"
#include "ghostgrad/engine/schedule.h"
#include "ghostgrad/engine/summary.h"
#include "ghostgrad/engine/task.h"
#include "ghostgrad/random/key.h"
#include "ghostgrad/sample/physical.h"
#include "ghostgrad/sample/poisson.h"

namespace ghostgrad::engine {

/// After each step.
struct Progress {
  int64_t step = 0;   // done
  int64_t steps = 0;  // planned
  double epoch = 0;   // done, q step
  int64_t epochs = 0;
  bool epoch_ended = false;
  std::function<double()> epsilon;  // spent up to this step: accounts afresh, so ask where it is shown, and before the next step
  std::optional<double> loss;       // NOT PRIVATE: mean over the examples drawn since the epoch began; see TrainerOptions::report_loss
  Score test;                       // when an epoch has ended
  double examples_per_second = 0;
};

struct TrainerHooks {
  std::function<void(const Progress&)> progress{};
  const std::atomic<bool>* stop = nullptr;  // when it turns true, the step under way is the last
};

/// Where the secret randomness of a run comes from.
struct TrainerKeys {
  random::Key sampling = random::Key::from_os();
  random::Key noise = random::Key::from_os();
};

class Trainer {
 public:
  /// Errors: InvalidArgument for options, for data that are not finite, and for targets that are none of the task's.
  Trainer(TrainedModel model, data::Split split, TrainerOptions options, TrainerKeys keys = {});

  [[nodiscard]] const Schedule& schedule() const { return schedule_; }
  [[nodiscard]] const TrainedModel& model() const { return model_; }

  /// Trains until the schedule is done or `stop` is set. Called again, it goes on where it was stopped.
  /// Errors: PrivacyError when examples are coupled.
  Summary train(const TrainerHooks& hooks = {});

 private:
  void check_independence();
  void step();
  void backward(const sample::PhysicalBatch& batch);
  [[nodiscard]] at::Tensor losses(const Batch& batch) const;
  void remember_loss(const at::Tensor& losses, const at::Tensor& mask);
  [[nodiscard]] Progress progress();
  [[nodiscard]] double examples_per_second() const;
  [[nodiscard]] const Score& test_score();
  [[nodiscard]] Summary summary();

  TrainedModel model_;
  data::Split split_;
  TrainerOptions options_;
  Schedule schedule_;
  sample::PoissonSampler sampler_;
  Engine engine_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  bool checked_ = false;
  Score test_;  // after evaluated_at_ steps
  int64_t evaluated_at_ = -1;
  double seconds_ = 0;
  double loss_sum_ = 0;
  int64_t losses_seen_ = 0;
};

}  // namespace ghostgrad::engine
