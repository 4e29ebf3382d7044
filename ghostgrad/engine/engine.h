// SPDX-License-Identifier: Apache-2.0
// The engine: per-example losses in, private gradients out.
//
//     auto engine = Engine(model->named_parameters(), Plan({.clip = 1.0, .noise_multiplier = 1.1, .expected_batch_size = 256}));
//     engine.backward(losses, batch.mask);     // losses [B]; again for each physical batch
//     engine.step(optimizer);                  // one release: noise once, .grad written, the event recorded, optimizer.step()
//     engine.epsilon(1e-5);                    // with .sample_rate = q in the plan
//
// The model is any libtorch model, untouched: nothing is wrapped or hooked, and .grad is written by a release alone.
//
// Guarantee: each release is the Poisson-subsampled Gaussian mechanism of the plan, if losses come from Poisson batches and each depends on
// its own example alone. The graph is checked for that at every step; what it cannot prove is refused until check_independence has passed.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/clip/clipper.h"
#include "ghostgrad/engine/independence.h"
#include "ghostgrad/engine/plan.h"
#include "ghostgrad/engine/release.h"
#include "ghostgrad/privacy/accountant.h"
#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::engine {

using NamedParameters = std::vector<std::pair<std::string, at::Tensor>>;

/// How the last physical batch was done.
struct Report {
  std::string method;
  std::vector<clip::CallReport> calls;     // each call (or bundle of calls) with its rule and route
  std::map<std::string, int64_t> by_rule;  // calls by rule; what ran through the fallback is under "fallback"
  std::vector<std::string> unreached;      // parameters that the losses do not depend on: they get noise alone
  std::vector<std::string> warnings;
  privacy::Independence independence = privacy::Independence::not_audited;
  int64_t steps = 0;
  bool noise_is_private = false;
};

/// What an engine has released, for a checkpoint: everything but the secret noise key. An engine that goes on from it draws a key of its own.
struct Past {
  std::optional<privacy::Event> history;  // all releases; nothing without a sample rate
  int64_t steps = 0;
  bool noise_is_private = true;
  privacy::Independence independence = privacy::Independence::audited;
  std::optional<double> threshold = std::nullopt;  // C, where adaptive clipping has moved it
};

class Engine {
 public:
  /// named_parameters: pairs, or what torch::nn::Module::named_parameters() returns. Frozen ones are left alone.
  template <class Named>
  Engine(const Named& named_parameters, Plan plan, random::Key key = random::Key::from_os())
      : Engine(to_pairs(named_parameters), std::move(plan), std::move(key), Checked{}) {}

  /// Adds one physical batch to the logical batch. losses [B], or a scalar that is plainly their mean or sum (graph/unreduce.h); mask: bool
  /// [B], false for padding.
  /// Errors: InvalidArgument (shapes), PrivacyError (mixed examples, unproved zones, ordinary gradients in .grad).
  void backward(const at::Tensor& losses, const at::Tensor& mask = {});
  /// The same from a function of the batch; method `naive` needs this form, since it runs the model once per example.
  void backward(const LossFunction& loss_fn, const Batch& batch, const at::Tensor& mask = {});

  /// Ends the logical batch (which may be empty): adds noise once, writes .grad of every tracked parameter, records the event.
  void release();
  template <class Optimizer>
  void step(Optimizer& optimizer) {
    if constexpr (requires { optimizer.param_groups(); }) {
      for (auto& group : optimizer.param_groups()) refuse_foreign_gradients(group.params());
    }
    release();
    optimizer.step();
  }
  /// Errors: PrivacyError where one of these, which an optimizer holds, has a gradient and is not among the named parameters.
  void refuse_foreign_gradients(const std::vector<at::Tensor>& held) const;
  /// Drops a half-done logical batch. Nothing is released.
  void discard();

  /// Runs the check and remembers the graphs that passed. Throws PrivacyError when examples are coupled.
  IndependenceReport check_independence(const LossFunction& loss_fn, const Batch& batch, const IndependenceOptions& options = {});

  /// Errors: PrivacyError inside a logical batch, whose sum a checkpoint does not hold.
  [[nodiscard]] Past past() const;
  /// Goes on where another engine stopped: its releases count for epsilon(). Errors: PrivacyError when this engine has begun already.
  void resume(const Past& past);

  /// Upper bound on epsilon for all releases so far. Errors: InvalidArgument without a sample rate or for delta outside (0, 1).
  [[nodiscard]] double epsilon(double delta) const;
  [[nodiscard]] privacy::PrivacyStatement statement(double delta) const;
  [[nodiscard]] Report report() const;
  [[nodiscard]] int64_t steps() const;
  [[nodiscard]] const Plan& plan() const { return plan_; }
  /// C of the logical batch under way, or of the next: the plan's, where it is not adaptive.
  [[nodiscard]] double threshold() const;
  /// Norms [B] of the last physical batch. Private: for debugging and tests, never for a log.
  [[nodiscard]] at::Tensor last_norms() const;

 private:
  struct Checked {};
  Engine(NamedParameters named_parameters, Plan plan, random::Key key, Checked);

  template <class Named>
  static NamedParameters to_pairs(const Named& named) {
    NamedParameters pairs;
    for (const auto& item : named) {
      if constexpr (requires { item.key(); }) {
        pairs.emplace_back(item.key(), item.value());
      } else {
        pairs.emplace_back(item.first, item.second);
      }
    }
    return pairs;
  }

  [[nodiscard]] clip::Clipper make_clipper() const;
  [[nodiscard]] std::vector<at::Tensor> everything() const;
  /// The losses. Errors: PrivacyError where forming them changes a parameter.
  [[nodiscard]] at::Tensor forward(const LossFunction& loss_fn, const Batch& batch) const;
  void adapt_from(double threshold);
  /// Tracks the parameters that require gradients now; they may change between logical batches, not within one.
  void begin();
  void refuse_ordinary_gradients() const;
  [[nodiscard]] bool is_as_released(const at::Tensor& parameter) const;
  void judge(const graph::Cut& cut);
  [[nodiscard]] ReleaseOptions release_options() const;
  /// Settles what the noise takes the positions of an example to be, and refuses a batch that it could not cover or would have followed.
  void check_what_was_added();
  /// Runs one physical batch; whatever it throws leaves the logical batch unusable until discard().
  template <class Work>
  void accumulate(const at::Tensor& mask, const Work& work);

  NamedParameters named_;
  Plan plan_;
  random::Key key_;
  std::vector<size_t> tracked_;    // indices into named_
  std::vector<int64_t> versions_;  // of all parameters, when the logical batch began
  std::optional<clip::Clipper> clipper_;
  std::optional<clip::ClippedSum> sum_;
  std::optional<AdaptiveThreshold> adaptive_;
  class AtWork;
  struct Turns {
    std::atomic_flag busy;
    std::recursive_mutex state;  // held by who works or reads; a loss function may read while its own thread works
  };
  std::unique_ptr<Turns> turns_ = std::make_unique<Turns>();
  struct Released {
    at::Tensor grad;
    int64_t version;  // in-place changes so far
  };
  std::map<const at::TensorImpl*, Released> released_;  // parameter -> the .grad that a release wrote
  std::unique_ptr<privacy::Accountant> accountant_;
  std::set<uint64_t> audited_;  // signatures and structures of graphs that passed the check
  std::set<std::string> warnings_;
  std::vector<std::string> unreached_;
  at::Tensor last_norms_;
  Past past_;             // what was resumed from
  double positions_ = 0;  // what the noise takes those of an example to be; 0: not known yet
  int64_t steps_ = 0;
  bool broken_ = false;
  bool saw_unaudited_ = false;
  bool saw_batch_ = false;
};

}  // namespace ghostgrad::engine
