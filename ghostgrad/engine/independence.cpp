// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/independence.h"

#include <algorithm>
#include <numeric>

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/exp2.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/clip/clipper.h"
#include "ghostgrad/engine/versions.h"
#include "ghostgrad/graph/capture.h"
#include "ghostgrad/graph/unreduce.h"
#include "ghostgrad/random/stream.h"

namespace ghostgrad::engine {
namespace {

/// Leaves the global generator as it found it.
class SeedGuard {
 public:
  SeedGuard() : generator_(at::globalContext().defaultGenerator(at::kCPU)), state_(generator_.get_state()) {}
  ~SeedGuard() { generator_.set_state(state_); }
  SeedGuard(const SeedGuard&) = delete;
  SeedGuard& operator=(const SeedGuard&) = delete;

 private:
  at::Generator generator_;
  at::Tensor state_;
};

struct Seen {
  at::Tensor losses;  // [B]
  at::Tensor norms;   // [B] float64
  graph::Cut cut;
};

Batch rows(const Batch& batch, const std::vector<int64_t>& chosen) {
  const at::Tensor index = at::tensor(chosen, at::kLong);
  Batch result;
  for (const at::Tensor& tensor : batch) result.push_back(tensor.index_select(0, index.to(tensor.device())));
  return result;
}

std::vector<at::Tensor> trained(const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.requires_grad()) result.push_back(parameter);
  }
  return result;
}

const char* const kRemedy =
    "let every loss depend on its own example alone: no statistics over the batch (normalisation, centring, in-batch negatives, routing by "
    "rank, "
    "division by a count)";

class Experiment {
 public:
  Experiment(const LossFunction& loss_fn, const Batch& batch, const std::vector<at::Tensor>& parameters)
      : loss_fn_(loss_fn),
        batch_(batch),
        watched_(parameters),
        clipper_(trained(parameters), {.threshold = 1.0, .method = "bk_mixed_opt"}),
        key_(random::Key::from_os()) {
    examples_ = check_batch();
  }

  IndependenceReport run(const IndependenceOptions& options) {
    const Seen before = see(batch_, kSeed);
    if (before.losses.size(0) != examples_) {
      throw base::InvalidArgument("loss_fn", "must return one loss per example",
                                  fmt::format("{} losses for {} examples", before.losses.size(0), examples_), "return losses of shape [B]");
    }
    IndependenceReport report;
    report.structure = before.cut.structure;
    report.signature = before.cut.signature;
    for (; report.rounds < options.rounds; ++report.rounds) replace(before, report.rounds);
    report.random_losses = !at::equal(before.losses, see(batch_, kSeed + 1).losses);
    if (options.drop && !report.random_losses) {
      for (const auto& kept : smaller_batches()) drop(before, kept);
      report.dropped = true;
    }
    report.to_the_bit = to_the_bit_;
    return report;
  }

 private:
  static constexpr uint64_t kSeed = 20240229;
  static constexpr uint64_t kDrops = uint64_t{1} << 32;  // a stream apart from the rounds'

  int64_t check_batch() {
    if (batch_.empty() || !batch_[0].defined() || batch_[0].dim() == 0) {
      throw base::InvalidArgument("batch", "must hold tensors with the examples first", "none", "pass what loss_fn takes");
    }
    const int64_t examples = batch_[0].size(0);
    bool same = true;
    for (const at::Tensor& tensor : batch_) {
      if (tensor.dim() == 0 || tensor.size(0) != examples) {
        throw base::InvalidArgument("batch", "must hold tensors of one length",
                                    fmt::format("{} and {}", examples, tensor.dim() ? tensor.size(0) : 0),
                                    "pass tensors with the examples along the first axis");
      }
      same = same && at::equal(tensor, tensor.narrow(0, 0, std::min<int64_t>(1, examples)).expand_as(tensor));
    }
    if (examples < 2 || same) {
      throw base::InvalidArgument("batch", "must hold at least two different examples",
                                  fmt::format("{} examples{}", examples, same ? ", all alike" : ""),
                                  "pass a larger batch of real examples");
    }
    return examples;
  }

  Seen see(const Batch& batch, uint64_t seed) {
    const SeedGuard guard;
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    generator.set_current_seed(seed);
    at::Tensor losses;
    const auto versions = versions_of(watched_);
    {
      at::AutoGradMode grad(true);
      losses = graph::unreduced(loss_fn_(batch), clipper_.parameters());
    }
    if (versions_of(watched_) != versions)
      refuse("loss_fn changes a parameter in place, which tells of the examples (an embedding with max_norm does)",
             "leave that out of the forward pass");
    clip::Norms norms = clipper_.norms(losses, {});
    Seen seen{losses.detach().clone(), norms.squared.sqrt(), *norms.cut};
    if (norms.nonfinite == 0) add_up(norms, seen);
    return seen;
  }

  /// Per-example gradients add up to the ordinary one, unless a custom backward is not linear in its gradient: then a batch has no parts to
  /// clip. Neither with equal weights nor with uneven ones, which one that clamps or scales does not follow. What is off by rounding alone
  /// is not off by so much: a float64 model may work in float32 inside (a norm layer, a scan).
  void add_up(clip::Norms& norms, const Seen& seen) const {
    add_up(norms, seen, at::ones_like(seen.norms));
    const at::Tensor places = at::arange(seen.norms.size(0), seen.norms.options());
    add_up(norms, seen, at::exp2((places * 5).remainder(11) - 5));  // 2^-5, 1, 2^5, 2^-1, ...
  }

  void add_up(clip::Norms& norms, const Seen& seen, const at::Tensor& weights) const {
    auto sum = clipper_.start(std::nullopt);
    clipper_.sums(norms, weights.expand_as(norms.by_group), sum);
    const auto ordinary = graph::gradients(norms.losses, weights.to(norms.losses.scalar_type()), clipper_.parameters());
    const double tolerance = seen.losses.scalar_type() == at::kDouble ? 1e-4 : 0.05;
    const double whole = seen.norms.dot(weights).item<double>();
    for (size_t p = 0; p < ordinary.size(); ++p) {
      if (!ordinary[p].defined()) continue;
      const double apart = (sum.totals()[p] - ordinary[p].to_dense().to(at::kDouble)).norm().item<double>();
      if (!(apart <= tolerance * whole)) refuse("the gradients of the examples do not add up to that of the batch");
    }
  }

  /// Which example stands where after a replacement: about half are copies of others, at least one is and at least one is not.
  std::vector<int64_t> replacement(int round) {
    random::Stream stream(key_, {random::Purpose::audit, static_cast<uint64_t>(round), 0, 0});
    std::vector<int64_t> source(examples_);
    const auto spared = static_cast<int64_t>(stream.uniform_below(examples_));
    const auto replaced = static_cast<int64_t>((spared + 1 + stream.uniform_below(examples_ - 1)) % examples_);
    for (int64_t i = 0; i < examples_; ++i) {
      const bool replace = i == replaced || (i != spared && stream.bernoulli(0.5));
      source[i] = replace ? static_cast<int64_t>((i + 1 + stream.uniform_below(examples_ - 1)) % examples_) : i;
    }
    return source;
  }

  void replace(const Seen& before, int round) {
    const auto source = replacement(round);
    const Seen after = see(rows(batch_, source), kSeed);
    if (after.losses.sizes() != before.losses.sizes()) refuse("the number of losses changes when examples are replaced");
    const std::string what = moved(before, after, source);
    if (what.empty()) return;
    if (!at::equal(see(batch_, kSeed).losses, before.losses)) {
      refuse(
          "the losses of one batch change from one forward pass to the next, with the seed held: the model keeps a state that a forward "
          "pass updates (running statistics, a power iteration)",
          "put that part into evaluation mode, or update it apart from private examples");
    }
    refuse("the " + what + " of an example moves when other examples are replaced");
  }

  /// What of the examples that were left in place is not as before: "loss", "gradient norm", or nothing.
  [[nodiscard]] std::string moved(const Seen& before, const Seen& after, const std::vector<int64_t>& source) {
    for (int64_t i = 0; i < examples_; ++i) {
      if (source[i] != i) continue;
      if (!same(before.losses[i], after.losses[i], before)) return "loss";
      if (!same(before.norms[i], after.norms[i], before)) return "gradient norm";
    }
    return "";
  }

  /// To the bit; or, and then it is remembered, to the rounding of kernels that are chosen by what a batch holds: a mask that is left out
  /// when nothing is padded, rows that are routed. What couples examples moves them by far more.
  [[nodiscard]] bool same(const at::Tensor& a, const at::Tensor& b, const Seen& seen) {
    const double rounding = seen.losses.scalar_type() == at::kDouble ? 1e-12 : 1e-5;
    const double x = a.item<double>(), y = b.item<double>();
    if (x == y || (std::isnan(x) && std::isnan(y))) return true;
    to_the_bit_ = false;
    return std::abs(x - y) <= rounding * std::abs(x);
  }

  /// Which examples stay: all but the first, all but the last, about half. Whoever is served first or last, or counted, is then missed.
  std::vector<std::vector<int64_t>> smaller_batches() {
    random::Stream stream(key_, {random::Purpose::audit, kDrops, 0, 0});
    std::vector<int64_t> all(examples_), half;
    std::iota(all.begin(), all.end(), 0);
    const auto spared = static_cast<int64_t>(stream.uniform_below(examples_));
    for (int64_t i = 0; i < examples_; ++i) {
      if (i == spared || i == (spared + 1) % examples_ || stream.bernoulli(0.5)) half.push_back(i);
    }
    std::vector<std::vector<int64_t>> batches{{all.begin() + 1, all.end()}, {all.begin(), all.end() - 1}};
    if (static_cast<int64_t>(half.size()) < examples_) batches.push_back(std::move(half));
    return batches;
  }

  void drop(const Seen& before, const std::vector<int64_t>& kept) {
    const Seen after = see(rows(batch_, kept), kSeed);
    const Batch expected = rows({before.losses, before.norms}, kept);
    if (after.losses.sizes() != expected[0].sizes()) refuse("the number of losses does not follow the number of examples");
    const double tolerance = before.losses.scalar_type() == at::kDouble ? 1e-9 : 1e-4;  // kernels for another batch size round otherwise
    const at::Tensor losses = expected[0].to(at::kDouble), now = after.losses.to(at::kDouble);
    if (!all_near(losses, now, tolerance)) refuse(scaled_or_moved(losses, now, tolerance));
    if (!all_near(expected[1], after.norms, tolerance)) refuse("the gradient norms of other examples move when examples are left out");
  }

  [[nodiscard]] static bool all_near(const at::Tensor& a, const at::Tensor& b, double tolerance) {
    return !(a - b).abs().gt(tolerance * (a.abs() + a.abs().max())).any().item<bool>();
  }

  [[nodiscard]] std::string scaled_or_moved(const at::Tensor& losses, const at::Tensor& now, double tolerance) const {
    const double factor = now.sum().item<double>() / losses.sum().item<double>();
    if (!(now - factor * losses).abs().le(losses.abs().max() * tolerance).all().item<bool>())
      return "the losses of other examples move when examples are left out";
    return fmt::format("all losses are scaled by {:.6g} when {} of {} examples are left out: they are divided by a count over the batch",
                       factor, examples_ - losses.numel(), examples_);
  }

  [[noreturn]] static void refuse(const std::string& wrong, const std::string& remedy = kRemedy) {
    throw base::PrivacyError("independence", wrong, "", remedy);
  }

  const LossFunction& loss_fn_;
  const Batch& batch_;
  const std::vector<at::Tensor>& watched_;  // the frozen ones, too: a forward pass writes where no noise is
  clip::Clipper clipper_;
  random::Key key_;
  int64_t examples_ = 0;
  bool to_the_bit_ = true;
};

}  // namespace

IndependenceReport check_independence(const LossFunction& loss_fn, const Batch& batch, const std::vector<at::Tensor>& parameters,
                                      const IndependenceOptions& options) {
  return Experiment(loss_fn, batch, parameters).run(options);
}

}  // namespace ghostgrad::engine
