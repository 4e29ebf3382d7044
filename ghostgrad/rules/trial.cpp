// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/trial.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ghostgrad/rules/fallback.h"

namespace ghostgrad::rules {
namespace {

/// What two ways to the same gradient may differ by, of its length: products of TF32 or bfloat16 lie that far apart.
double tolerance_of(at::ScalarType dtype) {
  if (dtype == at::kDouble) return 1e-6;
  return dtype == at::kFloat ? 1e-2 : 1e-1;
}

/// Between 1/2 and 3/2, all different, without a pattern: [B]
at::Tensor coefficients_for(int64_t examples, const at::TensorOptions& options) {
  constexpr double kGolden = 0.6180339887498949;
  return at::arange(1, examples + 1, options.dtype(at::kDouble)).mul_(kGolden).frac_().add_(0.5);
}

/// Each element times the coefficient of the example that owns it; 0 where none does.
at::Tensor scaled(const at::Tensor& grad, const at::Tensor& owners, const at::Tensor& coefficients) {
  const at::Tensor factors = coefficients.index_select(0, owners.clamp_min(0).flatten()).view_as(owners).to(grad.scalar_type());
  return at::where(owners.ge(0), grad * factors, at::zeros({}, grad.options()));
}

std::string key_of(const CallSite& call, const Terms& terms) {
  std::string key = graph::short_name(*call.self());
  for (size_t slot = 0; slot < call.grads.size(); ++slot) {
    if (!call.grads[slot].defined()) continue;
    const Shape& shape = call.graph.slots[call.call.node][slot];
    key += fmt::format(" {} {} {} {}", slot, call.grads[slot].options().dtype().name(), graph::to_string(shape),
                       graph::to_string(call.owners[slot], shape, call.examples()));
  }
  for (const auto& [edge, term] : terms) key += fmt::format(" {} {}", edge, graph::to_string(term->shape()));
  return key;
}

enum class Verdict { kWrong, kRight, kNothingSeen };

Verdict verdict_on(const CallSite& call, const Terms& terms) {
  at::Tensor coefficients;
  graph::variable_list grads(call.grads.size());
  const auto owners = owners_of(call);
  for (size_t slot = 0; slot < grads.size(); ++slot) {
    if (!call.grads[slot].defined()) continue;
    coefficients = coefficients_for(call.examples(), call.grads[slot].options());
    grads[slot] = scaled(call.grads[slot], owners[slot], coefficients);
  }
  std::vector<int> edges;
  for (const auto& [edge, term] : terms) edges.push_back(edge);
  const auto wanted = run_node(call, std::move(grads), edges);
  Verdict verdict = Verdict::kRight;
  for (size_t k = 0; k < terms.size(); ++k) {
    const at::Tensor got = terms[k].second->weighted_sum(coefficients), right = wanted[k].to(got.scalar_type());
    const double error = (got - right).norm().item<double>(), length = right.norm().item<double>();
    if (!(error <= tolerance_of(wanted[k].scalar_type()) * length)) return Verdict::kWrong;
    if (length == 0) verdict = Verdict::kNothingSeen;
  }
  return verdict;
}

}  // namespace

bool Trials::passes(const CallSite& call, const Terms& terms) {
  if (terms.empty()) return true;
  const std::string key = key_of(call, terms);
  if (passed_.count(key)) return true;
  const Verdict verdict = verdict_on(call, terms);
  if (verdict == Verdict::kRight) passed_.insert(key);
  return verdict != Verdict::kWrong;
}

}  // namespace ghostgrad::rules
