// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/engine.h"

#include <limits>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/engine/versions.h"
#include "ghostgrad/graph/unreduce.h"
#include "ghostgrad/privacy/accountants.h"

namespace ghostgrad::engine {
namespace {

const char* const kUnaudited =
    "independence: not audited. Nothing in the graph speaks against it, but statistics of raw inputs and detached values cannot be seen "
    "there; "
    "run check_independence(loss_fn, batch) once.";

}  // namespace

/// Refuses a second one at work on the same engine, in another thread or from within: it would read the same sum, or draw the same noise.
/// Whoever only reads waits instead, so that a thread that watches neither fails nor stops the work.
class Engine::AtWork {
 public:
  explicit AtWork(Turns& turns) : turns_(turns) {
    if (turns_.busy.test_and_set()) {
      throw base::PrivacyError("engine", "is at work already, in another thread or further up in this one", "",
                               "use an engine from one thread at a time");
    }
    turns_.state.lock();
  }
  ~AtWork() {
    turns_.state.unlock();
    turns_.busy.clear();
  }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;

 private:
  Turns& turns_;
};

Engine::Engine(NamedParameters named_parameters, Plan plan, random::Key key, Checked)
    : named_(std::move(named_parameters)), plan_(std::move(plan)), key_(std::move(key)) {
  if (named_.empty())
    throw base::InvalidArgument("named_parameters", "must hold at least one parameter", "none", "pass model->named_parameters()");
  const PlanOptions& options = plan_.options();
  accountant_ = privacy::make_accountant(options.accountant);
  if (options.sample_rate) privacy::make_accountant(options.accountant)->compose(plan_.event());  // refuses what it cannot account for
  if (options.adaptive_clipping) adapt_from(*options.clip);
  (void)make_clipper();  // refuses what cannot be tracked now, not at the first step
}

void Engine::adapt_from(double threshold) {
  const PlanOptions& options = plan_.options();
  adaptive_.emplace(AdaptiveThreshold::Plan{*options.adaptive_clipping, threshold, options.noise_multiplier, options.expected_batch_size});
}

clip::Clipper Engine::make_clipper() const {
  const PlanOptions& options = plan_.options();
  std::vector<at::Tensor> parameters;
  std::vector<std::string> names;
  for (const auto& [name, parameter] : named_) {
    if (!parameter.requires_grad()) continue;
    parameters.push_back(parameter);
    names.push_back(name);
  }
  if (parameters.empty()) {
    throw base::InvalidArgument("named_parameters", "must hold a parameter that requires gradients",
                                fmt::format("{} frozen ones", named_.size()), "unfreeze what is to be trained");
  }
  return clip::Clipper(std::move(parameters), {.method = options.method,
                                               .clip_function = options.clip_function,
                                               .clip_constant = options.clip_constant,
                                               .groups = clip::make_groups(options.groups, names, options.clip),
                                               .keep_bytes = options.performance.keep_bytes});
}

int64_t Engine::steps() const {
  const std::lock_guard reading(turns_->state);
  return steps_;
}

at::Tensor Engine::last_norms() const {
  const std::lock_guard reading(turns_->state);
  return last_norms_;
}

double Engine::threshold() const {
  const std::lock_guard reading(turns_->state);
  if (adaptive_ && !sum_) return adaptive_->threshold();
  return clipper_ ? clipper_->sensitivity() : make_clipper().sensitivity();
}

/// Frozen ones, too: a release protects none of them from what a forward pass writes there.
std::vector<at::Tensor> Engine::everything() const {
  std::vector<at::Tensor> parameters;
  for (const auto& [name, parameter] : named_) parameters.push_back(parameter);
  return parameters;
}

at::Tensor Engine::forward(const LossFunction& loss_fn, const Batch& batch) const {
  const auto versions = versions_of(everything());
  const at::Tensor losses = loss_fn(batch);
  if (versions_of(everything()) == versions) return losses;
  throw base::PrivacyError("loss_fn", "changes a parameter in place: what its examples write there, no noise protects", "",
                           "leave out what changes parameters in a forward pass (an embedding with max_norm)");
}

void Engine::begin() {
  std::vector<size_t> now;
  for (size_t i = 0; i < named_.size(); ++i) {
    if (named_[i].second.requires_grad()) now.push_back(i);
  }
  if (sum_ && now != tracked_) {
    throw base::PrivacyError("parameters", "must not be frozen or unfrozen within a logical batch", "", "call step() or discard() first");
  }
  if (sum_) {
    if (versions_of(everything()) == versions_) return;
    throw base::PrivacyError(
        "parameters", "must not change within a logical batch: what its examples write there, no noise protects", "",
        "step once for a logical batch; leave out what changes parameters in a forward pass (an embedding with max_norm)");
  }
  if (!clipper_ || now != tracked_) {
    clipper_.emplace(make_clipper());
    positions_ = plan_.options().positions.value_or(0);  // those of other layers are not these
  }
  if (adaptive_) clipper_->set_sensitivity(adaptive_->threshold());
  tracked_ = std::move(now);
  versions_ = versions_of(everything());
  int64_t dimension = 0;
  for (const at::Tensor& parameter : clipper_->parameters()) dimension += parameter.numel();
  const PlanOptions& options = plan_.options();
  const bool noisy = options.noise_multiplier > 0;
  sum_.emplace(clipper_->start(noisy ? std::optional(noise::make_lattice(options.noise_multiplier, clipper_->sensitivity(), dimension))
                                     : std::nullopt));
}

/// An ordinary backward adds to a .grad in place, so that being the same tensor is not enough.
bool Engine::is_as_released(const at::Tensor& parameter) const {
  const at::Tensor& grad = parameter.grad();
  if (!grad.defined()) return true;
  const auto ours = released_.find(parameter.unsafeGetTensorImpl());
  if (ours == released_.end() || !ours->second.grad.is_same(grad)) return false;
  return version_of(grad) == ours->second.version || grad.eq(0).all().item<bool>();  // zeroed in place
}

/// Those of frozen parameters, too: an optimizer moves whatever has a gradient.
void Engine::refuse_ordinary_gradients() const {
  for (const auto& [name, parameter] : named_) {
    if (is_as_released(parameter)) continue;
    throw base::PrivacyError(name, "received an ordinary gradient, which is not private",
                             "a .grad that no release wrote, or one that was changed since",
                             "do not call backward() on these losses yourself; clear it with optimizer.zero_grad()");
  }
}

void Engine::refuse_foreign_gradients(const std::vector<at::Tensor>& held) const {
  std::set<const at::TensorImpl*> ours;
  for (const auto& [name, parameter] : named_) ours.insert(parameter.unsafeGetTensorImpl());
  for (const at::Tensor& parameter : held) {
    if (ours.count(parameter.unsafeGetTensorImpl()) || !parameter.grad().defined()) continue;
    if (parameter.grad().eq(0).all().item<bool>()) continue;
    throw base::PrivacyError("optimizer", "holds a parameter with a gradient that this engine does not know, and its step would apply it",
                             "a tensor that is not among named_parameters",
                             "give the engine all that the optimizer trains, or clear that gradient; if it is private by another engine or "
                             "of public data, call release() and optimizer.step() yourself");
  }
}

void Engine::judge(const graph::Cut& cut) {
  clip::Clipper::refuse_refused(cut);
  saw_batch_ = true;
  unreached_.clear();
  for (int parameter : cut.unreached) unreached_.push_back(named_[tracked_[parameter]].first);
  if (audited_.count(cut.signature)) return;
  saw_unaudited_ = true;
  if (plan_.options().independence == "assumed") return;
  if (!cut.findings.empty()) {
    const auto& finding = cut.findings.front();
    throw base::PrivacyError("graph", finding.op + " " + finding.wrong, "",
                             finding.remedy + ", or set independence to assumed if you can vouch for it");
  }
  warnings_.insert(kUnaudited);
}

ReleaseOptions Engine::release_options() const {
  const PlanOptions& options = plan_.options();
  return {adaptive_ ? adaptive_->noise().sum : options.noise_multiplier, options.expected_batch_size, positions_,
          static_cast<uint64_t>(steps_)};
}

void Engine::check_what_was_added() {
  const PlanOptions& options = plan_.options();
  if (positions_ == 0) positions_ = sum_->positions();
  if (options.noise_multiplier == 0) return;
  const auto slack = [&](double positions) { return slack_of(*sum_, options.expected_batch_size, positions); };
  if (options.positions || slack(sum_->positions()) == slack(positions_)) return check_covered(*sum_, release_options());
  throw base::PrivacyError(
      "positions", "differ from those of the first batch, so that the noise would follow the batch", "",
      "pad examples to one length or size, or pass positions: the most tokens or pixels that a layer sees of one example");
}

template <class Work>
void Engine::accumulate(const at::Tensor& mask, const Work& work) {
  const AtWork alone(*turns_);
  if (broken_) {
    throw base::PrivacyError("backward", "was left half-way by an error, and the logical batch is incomplete", "",
                             "call discard() and start it again");
  }
  begin();
  refuse_ordinary_gradients();
  broken_ = true;
  last_norms_ = work();
  check_what_was_added();
  if (adaptive_) adaptive_->count(last_norms_, mask);
  broken_ = false;
}

void Engine::backward(const at::Tensor& losses, const at::Tensor& mask) {
  if (clip::find_method(plan_.options().method).norm == clip::NormRoute::loop_forward) {
    throw base::InvalidArgument("method", "naive runs the model once per example and needs a function of the batch", "losses",
                                "call backward(loss_fn, batch), or choose another method");
  }
  accumulate(mask, [&] {
    return clipper_->accumulate(graph::unreduced(losses, clipper_->parameters()), mask, *sum_,
                                [this](const graph::Cut& cut) { judge(cut); });
  });
}

void Engine::backward(const LossFunction& loss_fn, const Batch& batch, const at::Tensor& mask) {
  if (clip::find_method(plan_.options().method).norm != clip::NormRoute::loop_forward) return backward(forward(loss_fn, batch), mask);
  if (batch.empty()) throw base::InvalidArgument("batch", "must hold at least one tensor", "none", "pass what loss_fn takes");
  const auto losses_of = [&](int64_t example) {
    Batch one;
    for (const at::Tensor& tensor : batch) one.push_back(tensor.narrow(0, example, 1));
    return graph::unreduced(forward(loss_fn, one), clipper_->parameters());
  };
  saw_batch_ = true;
  saw_unaudited_ = saw_unaudited_ || audited_.empty();  // run alone an example sees no other, and what couples them fails the check
  accumulate(mask, [&] { return clipper_->accumulate_each(batch[0].size(0), losses_of, mask, *sum_); });
}

void Engine::release() {
  const AtWork alone(*turns_);
  if (broken_) throw base::PrivacyError("release", "would release an incomplete logical batch", "", "call discard() and start it again");
  if (!sum_) begin();  // an empty logical batch is released too
  refuse_ordinary_gradients();
  if (positions_ == 0) positions_ = 1;  // an empty logical batch comes first
  const ReleaseOptions how = release_options();
  // Paid for and counted first: an error from here on costs privacy that was not used, never the other way round, and no noise comes twice.
  if (plan_.options().sample_rate) accountant_->compose(plan_.event());
  ++steps_;
  clip::ClippedSum sum = std::move(*sum_);
  sum_.reset();
  const auto noisy = engine::release(std::move(sum), how, key_);
  if (adaptive_) adaptive_->release(key_, how.step);
  for (size_t k = 0; k < tracked_.size(); ++k) {
    at::Tensor parameter = named_[tracked_[k]].second;
    at::Tensor grad = noisy.values()[k].to(parameter.device(), parameter.scalar_type());
    parameter.mutable_grad() = grad;
    released_.insert_or_assign(parameter.unsafeGetTensorImpl(), Released{grad, version_of(grad)});  // of frozen ones the last stays known
  }
}

void Engine::discard() {
  const AtWork alone(*turns_);
  sum_.reset();
  if (adaptive_) adaptive_->discard();
  broken_ = false;
}

Past Engine::past() const {
  const std::lock_guard reading(turns_->state);
  if (sum_ || broken_) {
    throw base::PrivacyError("checkpoint", "would lose the examples of a half-done logical batch", "", "call step() or discard() first");
  }
  Past past;
  past.steps = steps_;
  past.noise_is_private = key_.is_private() && past_.noise_is_private;
  past.independence = report().independence;
  if (adaptive_) past.threshold = adaptive_->threshold();
  if (!plan_.options().sample_rate) return past;
  std::vector<privacy::Event> events;
  if (past_.history) events.push_back(*past_.history);
  if (steps_ > past_.steps) events.push_back(privacy::repeated(plan_.event(), steps_ - past_.steps));
  past.history = events.size() == 1 ? events.front() : privacy::composed(std::move(events));
  return past;
}

void Engine::resume(const Past& past) {
  const AtWork alone(*turns_);
  if (steps_ > 0 || sum_ || broken_) {
    throw base::PrivacyError("resume", "would forget what this engine has released or summed up", fmt::format("{} releases", steps_),
                             "resume with a new engine, before its first batch");
  }
  if (past.steps < 0) throw base::InvalidArgument("steps", "must not be negative", fmt::to_string(past.steps), "pass the releases so far");
  if (past.steps > 0 && !past.history && plan_.options().sample_rate) {
    throw base::InvalidArgument("history", "is needed to go on accounting", "none",
                                "resume without a sample rate, or from a run that had one");
  }
  if (past.history) accountant_->compose(*past.history);
  past_ = past;
  steps_ = past.steps;
  if (adaptive_ && past.threshold) adapt_from(*past.threshold);
  if (past.steps == 0) return;
  saw_batch_ = true;
  saw_unaudited_ = past.independence != privacy::Independence::audited;
}

IndependenceReport Engine::check_independence(const LossFunction& loss_fn, const Batch& batch, const IndependenceOptions& options) {
  const auto report = engine::check_independence(loss_fn, batch, everything(), options);
  const std::lock_guard writing(turns_->state);
  audited_.insert(report.signature);
  audited_.insert(report.structure);  // of a physical batch of one
  return report;
}

double Engine::epsilon(double delta) const { return statement(delta).epsilon; }

privacy::PrivacyStatement Engine::statement(double delta) const {
  const std::lock_guard reading(turns_->state);
  const PlanOptions& options = plan_.options();
  (void)plan_.event();  // asks for the sample rate
  const auto bound = accountant_->epsilon(delta);
  privacy::PrivacyStatement statement;
  statement.epsilon = bound.value;
  statement.delta = delta;
  statement.adjacency = accountant_->adjacency();
  statement.accountant = std::string(accountant_->name());
  statement.noise_multiplier = options.noise_multiplier;
  statement.sample_rate = *options.sample_rate;
  statement.steps = steps_;
  statement.noise_is_private = key_.is_private() && past_.noise_is_private;
  statement.independence = report().independence;
  statement.warnings = bound.warnings;
  for (std::string& warning : plan_.warnings()) statement.warnings.push_back(std::move(warning));
  return statement;
}

Report Engine::report() const {
  const std::lock_guard reading(turns_->state);
  Report report;
  report.method = plan_.options().method;
  if (clipper_) {
    report.calls = clipper_->report();
    report.by_rule = clipper_->calls_by_rule();
  }
  report.unreached = unreached_;
  report.warnings.assign(warnings_.begin(), warnings_.end());
  const bool assumed = plan_.options().independence == "assumed";
  if (saw_unaudited_ || !saw_batch_) {
    report.independence = assumed ? privacy::Independence::assumed : privacy::Independence::not_audited;
  } else {
    report.independence = privacy::Independence::audited;
  }
  report.steps = steps_;
  report.noise_is_private = key_.is_private() && past_.noise_is_private;
  return report;
}

}  // namespace ghostgrad::engine
