// SPDX-License-Identifier: Apache-2.0
#include "tests/graph/probe.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <set>

#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include "ghostgrad/graph/capture.h"

namespace ghostgrad::graph {
namespace {

constexpr int base = 64;

/// A code for each example, as base-64 digits: [pass][example].
std::vector<std::vector<int>> digits_of_codes(int64_t examples, uint64_t seed) {
  int64_t codes = base, passes = 1;
  for (; codes < examples; codes *= base) ++passes;
  std::vector<int64_t> code(codes);
  std::iota(code.begin(), code.end(), 0);
  std::shuffle(code.begin(), code.end(), std::mt19937_64(seed));
  std::vector<std::vector<int>> digits(passes, std::vector<int>(examples));
  for (int64_t i = 0; i < examples; ++i) {
    for (int64_t pass = 0, rest = code[i]; pass < passes; ++pass, rest /= base) digits[pass][i] = static_cast<int>(rest % base);
  }
  return digits;
}

/// The values of a gradient as doubles, real and imaginary part side by side; empty if undefined.
std::vector<double> values_of(at::Tensor grad) {
  if (!grad.defined()) return {};
  if (grad.is_sparse()) grad = grad.to_dense();
  if (grad.is_complex()) grad = at::view_as_real(grad.resolve_conj());
  grad = grad.to(at::kDouble).contiguous();
  return {grad.const_data_ptr<double>(), grad.const_data_ptr<double>() + grad.numel()};
}

/// The owner of a flat element, from the definition of the layouts alone.
int64_t owner_of(const Ownership& claim, const Shape& shape, int64_t element, int64_t examples) {
  int64_t step = 1;
  switch (claim.kind) {
    case Ownership::Kind::single:
      return claim.example;
    case Ownership::Kind::strided:
      return (element / claim.stride) % examples;
    case Ownership::Kind::per_index:
      for (size_t dim = claim.dim + 1; dim < shape.size(); ++dim) step *= shape[dim];
      return claim.owners->at((element / step) % shape[claim.dim]);
    default:
      return -1;
  }
}

/// Linear in the gradient, but computed through its logarithm, so that a power of two rounds otherwise.
bool rounds_by_value(const std::string& op) { return op == "LogcumsumexpBackward0"; }

class Probe {
 public:
  Probe(const at::Tensor& losses, const std::vector<at::Tensor>& parameters, uint64_t seed)
      : losses_(losses), graph_(walk(losses, parameters)), owners_(propagate(graph_)), digits_(digits_of_codes(losses.numel(), seed)) {}

  Probed run() {
    collect_slots();
    const at::Tensor ones = at::ones_like(losses_);
    plain_ = capture(losses_, ones, slots_, graph_);
    for (const auto& digits : digits_) {
      at::Tensor weights = at::empty({losses_.numel()}, at::kDouble);
      for (int64_t i = 0; i < weights.numel(); ++i) weights[i] = std::ldexp(1.0, digits[i]);
      scaled_.push_back(capture(losses_, weights.to(losses_.dtype()), slots_, graph_));
    }
    for (size_t i = 0; i < slots_.size(); ++i) check(i);
    blame();
    probed_.mixed = !owners_.stops.empty() || !owners_.conflicts.empty();
    return std::move(probed_);
  }

 private:
  void collect_slots() {
    for (int node = 0; node < static_cast<int>(graph_.nodes.size()); ++node) {
      exact_ = exact_ && !rounds_by_value(short_name(*graph_.nodes[node]));
      if (!graph_.reaches[node] || graph_.parameter_only[node]) continue;
      for (int slot = 0; slot < static_cast<int>(graph_.slots[node].size()); ++slot) slots_.push_back({node, slot});
    }
  }

  /// Whether the element scaled as if this example alone had made it.
  bool scaled_by(size_t element, int64_t example) const {
    for (size_t pass = 0; pass < digits_.size(); ++pass) {
      const double expected = std::ldexp(values_[element], digits_[pass][example]);
      const double slack = exact_ ? 0. : 1e-9 * std::abs(expected);
      if (std::abs(powers_[pass][element] - expected) > slack) return false;
    }
    return true;
  }

  bool owned_by_somebody(size_t element) const {
    for (int64_t example = 0; example < losses_.numel(); ++example) {
      if (scaled_by(element, example)) return true;
    }
    return false;
  }

  /// Denormals lose bits, and non-finite values have no owner.
  bool readable(size_t element) const {
    constexpr double smallest = 1e-30;  // normal in every floating type used, also after the engine's own small factors
    if (values_[element] != 0 && std::abs(values_[element]) < smallest) return false;
    return std::isfinite(values_[element]) && std::all_of(powers_.begin(), powers_.end(), [&](const auto& power) {
             return std::isfinite(power[element]) && (power[element] == 0 || std::abs(power[element]) >= smallest);
           });
  }

  void load(size_t i) {
    values_ = values_of(plain_[i]);
    powers_.clear();
    for (const auto& pass : scaled_) {
      powers_.push_back(values_of(pass[i]));
      powers_.back().resize(values_.size());
    }
  }

  /// What a claim looks like against the values.
  struct Count {
    int64_t nonzero = 0;
    int64_t contradicted = 0;  // elements that the claimed owner did not make alone
    int64_t unowned = 0;       // elements that no example made alone
  };

  bool is_zero(size_t element) const {
    return values_[element] == 0 && std::all_of(powers_.begin(), powers_.end(), [&](const auto& power) { return power[element] == 0; });
  }

  Count count_elements(const Ownership& claim, const Shape& shape) const {
    const int64_t elements = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
    const int64_t parts = elements > 0 ? static_cast<int64_t>(values_.size()) / elements : 1;  // 2: real and imaginary
    Count count;
    for (size_t e = 0; e < values_.size(); ++e) {
      if (!readable(e)) continue;
      count.nonzero += values_[e] != 0;
      if (claim.is_mixed()) {
        count.unowned += !is_zero(e) && !owned_by_somebody(e);
        continue;
      }
      const int64_t owner = owner_of(claim, shape, static_cast<int64_t>(e) / parts, losses_.numel());
      count.contradicted += owner < 0 ? !is_zero(e) : !scaled_by(e, owner);
    }
    return count;
  }

  void check(size_t i) {
    const auto [node, slot] = slots_[i];
    const Ownership& claim = owners_.slots[node][slot];
    const Shape& shape = graph_.slots[node][slot];
    load(i);
    const Count count = count_elements(claim, shape);
    const std::string op = short_name(*graph_.nodes[node]);
    if (count.contradicted > 0) {
      probed_.wrong.push_back(op + " slot " + std::to_string(slot) + " " + to_string(shape) + ": " +
                              to_string(claim, shape, losses_.numel()) + ", wrong in " + std::to_string(count.contradicted) + " elements");
    }
    if (count.nonzero == 0) return;
    if (claim.resolved()) {
      ++probed_.checked;
      ++probed_.resolved[op];
    }
    if (claim.is_mixed() && count.unowned == 0) owned_though_mixed_.insert({node, slot});
  }

  /// Names the op that lost what the probe still sees; what lies below it follows from it.
  void blame() {
    for (const auto& stop : owners_.stops) {
      const Target target = graph_.target(stop.node, stop.edge);
      if (!owned_though_mixed_.count({target.node, target.slot})) continue;
      probed_.missed.push_back(short_name(*graph_.nodes[stop.node]) + (stop.known ? "" : " (unknown)") + " edge " +
                               std::to_string(stop.edge) + " " + to_string(graph_.slots[stop.node][0]) + " -> " +
                               to_string(graph_.slots[target.node][target.slot]));
    }
  }

  const at::Tensor& losses_;
  Graph graph_;
  Ownerships owners_;
  std::vector<std::vector<int>> digits_;
  bool exact_ = true;
  std::vector<Target> slots_;
  std::vector<at::Tensor> plain_;
  std::vector<std::vector<at::Tensor>> scaled_;
  std::vector<double> values_;
  std::vector<std::vector<double>> powers_;
  std::set<std::pair<int, int>> owned_though_mixed_;
  Probed probed_;
};

}  // namespace

Probed probe(const at::Tensor& losses, const std::vector<at::Tensor>& parameters, uint64_t seed) {
  return Probe(losses, parameters, seed).run();
}

std::vector<at::Tensor> leaves_of(const at::Tensor& losses) {
  const Graph graph = walk(losses, {});
  std::vector<at::Tensor> leaves;
  for (const NodePtr& node : graph.nodes) {
    if (const auto* leaf = dynamic_cast<const torch::autograd::AccumulateGrad*>(node.get())) leaves.push_back(leaf->variable);
  }
  return leaves;
}

}  // namespace ghostgrad::graph
