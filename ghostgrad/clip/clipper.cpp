// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/clipper.h"

#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/clip/loop.h"
#include "ghostgrad/graph/capture.h"
#include "ghostgrad/graph/full_precision.h"
#include "ghostgrad/graph/propagate.h"
#include "ghostgrad/graph/repeatable.h"

namespace ghostgrad::clip {
namespace {

void check_threshold(double threshold) {
  // Squares of norms in float32 vanish below 1e-19 and overflow above 1e19: thresholds stay far away from both.
  if (threshold >= 1e-12 && threshold <= 1e12) return;
  throw base::InvalidArgument("clip", "must lie between 1e-12 and 1e12", fmt::to_string(threshold),
                              "pass the norm that gradients are clipped to, e.g. 1.0");
}

void check(const std::vector<at::Tensor>& parameters, const Groups& groups) {
  for (double threshold : groups.thresholds) check_threshold(threshold);
  if (groups.of_parameter.size() != parameters.size()) {
    throw base::InvalidArgument("groups", "must say the group of each parameter",
                                fmt::format("{} for {} parameters", groups.of_parameter.size(), parameters.size()),
                                "make them from the names of the tracked parameters");
  }
  for (const at::Tensor& parameter : parameters) {
    if (parameter.is_complex()) {
      throw base::Unsupported("parameters", "must be real", toString(parameter.scalar_type()),
                              "keep real and imaginary part as two parameters");
    }
    if (!parameter.is_leaf())
      throw base::InvalidArgument("parameters", "must be leaves of the graph", "a computed tensor", "pass the model's own parameters");
  }
}

void check_mask(int64_t examples, const at::Tensor& mask) {
  if (!mask.defined() || (mask.scalar_type() == at::kBool && mask.dim() == 1 && mask.size(0) == examples)) return;
  throw base::InvalidArgument("mask", "must be bool [B]",
                              fmt::format("{} {}", toString(mask.scalar_type()), graph::to_string(graph::Shape(mask.sizes()))),
                              "pass true for each example that counts");
}

bool all_true(const at::Tensor& flags) { return flags.all().item<bool>(); }

/// Of the floats in which gradients of such parameters are added up.
double unit_of(const std::vector<at::Tensor>& parameters) {
  const bool all_double =
      std::all_of(parameters.begin(), parameters.end(), [](const at::Tensor& p) { return p.scalar_type() == at::kDouble; });
  return std::ldexp(1.0, all_double ? -53 : -24);
}

/// How many of the examples count.
int64_t counted(int64_t examples, const at::Tensor& mask) { return mask.defined() ? mask.sum().item<int64_t>() : examples; }

double most_positions(const std::vector<BundlePtr>& bundles) {
  double positions = 1;
  for (const BundlePtr& bundle : bundles) positions = std::max(positions, bundle->cost().positions);
  return positions;
}

bool is_low(const at::TensorOptions& options) { return options.dtype().itemsize() < sizeof(float); }

/// An ordinary backward rounds the whole sum, and the coefficients that enter it, to the precision of the model, where book-keeping adds up
/// in float32 at least; and it is another function where the graph does not bear to be run twice.
bool bears_second_backward(const Norms& norms) {
  const auto& nodes = norms.graph->nodes;
  const bool low = std::any_of(nodes.begin(), nodes.end(), [](const graph::NodePtr& node) {
    return node->num_inputs() > 0 && is_low(node->input_metadata(0).options());
  });
  const bool finite = norms.nonfinite == 0 && all_true(norms.squared.isfinite());
  return finite && !low && !is_low(norms.losses.options()) && graph::is_repeatable(*norms.graph);
}

/// By the shape of the gradient, not of the batch, whose size is private.
std::string label_of(const std::string& rule, const graph::Node& node, const rules::Term& term) {
  return fmt::format("{} {} {}", rule, graph::short_name(node), graph::to_string(term.shape()));
}

graph::Cut cut_of(const graph::Graph& graph, size_t parameters) { return graph::find_cut(graph, graph::propagate(graph), parameters); }

}  // namespace

Clipper::Clipper(std::vector<at::Tensor> parameters, ClipperOptions options)
    : parameters_(std::move(parameters)),
      method_(&find_method(options.method)),
      clip_function_(&find_clip_function(options.clip_function)),
      clip_constant_(constant_of(*clip_function_, options.clip_constant)),
      groups_(options.groups.count() > 0 ? std::move(options.groups) : one_group(parameters_.size(), options.threshold)),
      router_(*method_, options.keep_bytes) {
  check(parameters_, groups_);
}

void Clipper::set_sensitivity(double sensitivity) {
  Groups scaled = groups_.scaled_to(sensitivity);
  for (double threshold : scaled.thresholds) check_threshold(threshold);
  groups_ = std::move(scaled);
}

void Clipper::refuse_refused(const graph::Cut& cut) {
  for (const graph::Finding& finding : cut.findings) {
    if (finding.verdict == graph::Finding::Verdict::refused)
      throw base::PrivacyError("graph", finding.op + " " + finding.wrong, "", finding.remedy);
  }
}

ClippedSum Clipper::start(std::optional<noise::Lattice> lattice) const {
  totals_.resize(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto options = at::TensorOptions(lattice ? at::kLong : at::kDouble).device(lattice ? at::kCPU : parameters_[i].device());
    const bool free = totals_[i].defined() && totals_[i].use_count() == 1;
    if (free && totals_[i].sizes() == parameters_[i].sizes() && totals_[i].scalar_type() == options.dtype() &&
        totals_[i].device() == options.device()) {
      totals_[i].zero_();
    } else {
      totals_[i] = at::zeros(parameters_[i].sizes(), options);
    }
  }
  return {totals_, std::move(lattice), sensitivity(), method_->norm != NormRoute::none, unit_of(parameters_)};
}

at::Tensor Clipper::ones_where(const at::Tensor& losses, const at::Tensor& mask) const {
  const at::Tensor ones = at::ones_like(losses);
  return mask.defined() ? at::where(mask, ones, at::zeros({}, ones.options())) : ones;
}

std::vector<Use> Clipper::uses_of(const at::Tensor& losses, const at::Tensor& mask, const Norms& norms, const graph::Ownerships& owners) {
  const graph::Graph& graph = *norms.graph;
  std::vector<graph::Target> wanted;
  for (const graph::Call& call : norms.cut->calls) {
    for (size_t slot = 0; slot < owners.slots[call.node].size(); ++slot) {
      if (owners.slots[call.node][slot].resolved()) wanted.push_back({call.node, static_cast<int>(slot)});
    }
  }
  auto captured = graph::capture(losses, ones_where(losses, mask), wanted, graph);
  std::vector<Use> uses;
  size_t next = 0;
  calls_by_rule_.clear();
  for (const graph::Call& call : norms.cut->calls) {
    std::vector<at::Tensor> grads(owners.slots[call.node].size());
    for (; next < wanted.size() && wanted[next].node == call.node; ++next) grads[wanted[next].slot] = std::move(captured[next]);
    auto made = rules::terms_of({graph, call, owners.slots[call.node], grads}, trials_);
    const std::string rule = rules::rule_name(*graph.nodes[call.node]);
    const bool all_by_rule = std::find(made.by_rule.begin(), made.by_rule.end(), 0) == made.by_rule.end();
    ++calls_by_rule_[all_by_rule ? rule : "fallback"];
    for (size_t k = 0; k < made.terms.size(); ++k) {
      const auto zone =
          std::find_if(call.zones.begin(), call.zones.end(), [&](const graph::Zone& z) { return z.edge == made.terms[k].first; });
      std::string label = label_of(made.by_rule[k] ? rule : "fallback", *graph.nodes[call.node], *made.terms[k].second);
      uses.push_back({std::move(made.terms[k].second), &*zone, std::move(label)});
    }
  }
  return uses;
}

void Clipper::find_squared_norms(Norms& norms) {
  const graph::FullPrecision full;
  const auto options = norms.losses.options().dtype(at::kDouble);
  std::vector<at::Tensor> by_group(groups_.count());
  router_.begin();
  report_.clear();
  for (BundlePtr& bundle : norms.bundles) {
    const Route route = router_.route(*bundle, norms.losses.options());
    report_.push_back({bundle->label(), to_string(route)});
    for (const auto& [parameter, squared] : bundle->squared_norms(route)) {
      at::Tensor& sum = by_group[groups_.of_parameter[parameter]];
      sum = sum.defined() ? sum.add_(squared) : squared.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
    }
  }
  for (at::Tensor& sum : by_group) {
    if (!sum.defined()) sum = at::zeros({norms.losses.size(0)}, options);
  }
  norms.by_group = at::stack(by_group);
  norms.squared = norms.by_group.sum(0);
}

void Clipper::find_valid(Norms& norms, const at::Tensor& mask) {
  const at::Tensor finite = norms.losses.isfinite().logical_and_(norms.squared.isfinite());
  norms.valid = mask.defined() ? finite.logical_and(mask) : finite;
  norms.masked = norms.losses.size(0) - counted(norms.losses.size(0), mask);
  if (all_true(finite)) return;
  for (const BundlePtr& bundle : norms.bundles) {
    if (!bundle->isolates_examples()) {
      throw base::PrivacyError(bundle->label(), "runs through the fallback, which cannot keep a non-finite example apart from the others",
                               "", "remove examples that are not finite, or use an op with a rule of its own (see `ghostgrad rules`)");
    }
    bundle->keep_only(norms.valid);
  }
  norms.nonfinite = norms.valid.numel() - norms.masked - norms.valid.sum().item<int64_t>();
  nonfinite_ += norms.nonfinite;
}

Norms Clipper::norms(const at::Tensor& losses, const at::Tensor& mask, const Judge& judge) {
  at::NoGradGuard no_grad;
  Norms norms;
  norms.graph = std::make_shared<graph::Graph>(graph::walk(losses, parameters_));
  check_mask(losses.size(0), mask);
  norms.losses = losses;
  const auto owners = graph::propagate(*norms.graph);
  norms.cut = std::make_shared<graph::Cut>(graph::find_cut(*norms.graph, owners, parameters_.size()));
  judge(*norms.cut);
  norms.bundles = make_bundles(*norms.graph, uses_of(losses, mask, norms, owners));
  find_squared_norms(norms);
  find_valid(norms, mask);
  return norms;
}

at::Tensor Clipper::coefficients(const Norms& norms) const {
  std::vector<at::Tensor> rows;
  rows.reserve(groups_.count());
  for (int group = 0; group < groups_.count(); ++group) {
    rows.push_back(coefficients_of(*clip_function_, norms.by_group[group].sqrt(), {groups_.thresholds[group], clip_constant_}));
  }
  const at::Tensor all = at::stack(rows);
  return at::where(norms.valid, all, at::zeros({}, all.options()));
}

/// Which parameters the norms know of.
std::vector<char> Clipper::covered_by(const std::vector<BundlePtr>& bundles) const {
  std::vector<char> covered(parameters_.size(), 0);
  for (const BundlePtr& bundle : bundles) {
    for (const int parameter : bundle->parameters()) covered[parameter] = 1;
  }
  return covered;
}

/// Which parameters get their sum from a second backward; book-keeping makes the others.
std::vector<char> Clipper::left_to_second_backward(const Norms& norms) const {
  if (method_->sum != SumRoute::second_backward || !bears_second_backward(norms)) return std::vector<char>(parameters_.size(), 0);
  std::vector<char> left(parameters_.size(), 1);
  for (const BundlePtr& bundle : norms.bundles) {
    if (bundle->bears_other_orders()) continue;
    for (const int parameter : bundle->parameters()) left[parameter] = 0;
  }
  return left;
}

void Clipper::second_backward(const Norms& norms, const at::Tensor& coefficients, const std::vector<char>& wanted, ClippedSum& into) const {
  const auto covered = covered_by(norms.bundles);
  for (int group = 0; group < groups_.count(); ++group) {
    std::vector<at::Tensor> members;
    std::vector<size_t> places;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      if (!wanted[i] || groups_.of_parameter[i] != group) continue;
      members.push_back(parameters_[i]);
      places.push_back(i);
    }
    if (members.empty()) continue;
    const auto grads = graph::gradients(norms.losses, coefficients[group].to(norms.losses.scalar_type()), members);
    for (size_t k = 0; k < grads.size(); ++k) {
      if (!grads[k].defined()) continue;
      const at::Tensor grad = grads[k].is_sparse() ? grads[k].to_dense() : grads[k];
      if (!covered[places[k]] && grad.ne(0).any().item<bool>()) {
        throw base::PrivacyError("second backward", "reaches a parameter whose gradients were not found in the graph, and not clipped", "",
                                 "choose method auto or bk, and report this model");
      }
      into.add(places[k], grad);
    }
  }
}

void Clipper::sums(Norms& norms, const at::Tensor& coefficients, ClippedSum& into) const {
  at::NoGradGuard no_grad;
  const auto left = left_to_second_backward(norms);
  if (std::find(left.begin(), left.end(), 1) != left.end()) second_backward(norms, coefficients, left, into);
  const graph::FullPrecision full;
  const Coefficients by_group{coefficients, groups_.of_parameter};
  for (BundlePtr& bundle : norms.bundles) {
    if (left[bundle->parameters().front()]) continue;
    for (auto& [parameter, sum] : bundle->weighted_sums(by_group)) into.add(parameter, sum);
  }
  into.finish_physical_batch(norms.losses.size(0) - norms.masked, most_positions(norms.bundles));
}

at::Tensor Clipper::accumulate(const at::Tensor& losses, const at::Tensor& mask, ClippedSum& into, const Judge& judge) {
  if (method_->norm == NormRoute::none) return accumulate_unclipped(losses, mask, into);
  if (method_->sum == SumRoute::loop) return accumulate_by_loop(losses, mask, into, judge);
  Norms half = norms(losses, mask, judge);
  sums(half, coefficients(half), into);
  return half.squared.sqrt();
}

at::Tensor Clipper::accumulate_unclipped(const at::Tensor& losses, const at::Tensor& mask, ClippedSum& into) {
  at::NoGradGuard no_grad;
  check_mask(losses.size(0), mask);
  const auto grads = graph::gradients(losses, ones_where(losses, mask), parameters_);
  for (size_t i = 0; i < grads.size(); ++i) {
    if (grads[i].defined()) into.add(i, grads[i].is_sparse() ? grads[i].to_dense() : grads[i]);
  }
  into.finish_physical_batch(counted(losses.size(0), mask), 1);
  return at::zeros({losses.size(0)}, losses.options().dtype(at::kDouble));
}

LoopOptions Clipper::loop_options(int64_t examples, const at::Tensor& mask) const {
  return {examples, mask, clip_function_, clip_constant_, &groups_};
}

at::Tensor Clipper::accumulate_by_loop(const at::Tensor& losses, const at::Tensor& mask, ClippedSum& into, const Judge& judge) {
  at::NoGradGuard no_grad;
  const auto graph = graph::walk(losses, parameters_);
  check_mask(losses.size(0), mask);
  judge(cut_of(graph, parameters_.size()));
  const auto gradients = [&](int64_t example) -> std::optional<std::vector<at::Tensor>> {
    if (!all_true(losses[example].isfinite())) return std::nullopt;
    at::Tensor root = at::zeros_like(losses);
    root[example] = 1;
    return graph::gradients(losses, root, parameters_);
  };
  const LoopSum loop = clip_by_loop(gradients, loop_options(losses.size(0), mask));
  if (loop.nonfinite > 0) {
    throw base::PrivacyError("multi_loss",
                             "runs the whole batch once per example and cannot keep a non-finite example apart from the others", "",
                             "remove examples that are not finite, or choose another method");
  }
  return finish_loop(loop, counted(losses.size(0), mask), into);
}

at::Tensor Clipper::accumulate_each(int64_t examples, const std::function<at::Tensor(int64_t)>& losses_of, const at::Tensor& mask,
                                    ClippedSum& into) {
  check_mask(examples, mask);
  const auto gradients = [&](int64_t example) -> std::optional<std::vector<at::Tensor>> {
    const at::Tensor loss = losses_of(example);
    if (loss.defined() && !all_true(loss.isfinite())) return std::nullopt;
    const auto graph = graph::walk(loss, parameters_);
    refuse_refused(cut_of(graph, parameters_.size()));
    return graph::gradients(loss, at::ones_like(loss), parameters_);
  };
  const LoopSum loop = clip_by_loop(gradients, loop_options(examples, mask));
  nonfinite_ += loop.nonfinite;
  return finish_loop(loop, counted(examples, mask), into);
}

at::Tensor Clipper::finish_loop(const LoopSum& loop, int64_t examples, ClippedSum& into) {
  for (size_t i = 0; i < loop.sums.size(); ++i) {
    if (loop.sums[i].defined()) into.add(i, loop.sums[i]);
  }
  into.finish_physical_batch(examples, 1);
  report_ = {{"every parameter", "loop"}};
  return loop.norms;
}

}  // namespace ghostgrad::clip
