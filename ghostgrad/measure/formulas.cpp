// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/formulas.h"

#include <algorithm>

#include "ghostgrad/clip/router.h"

namespace ghostgrad::measure {
namespace {

using clip::NormRoute;
using clip::SumRoute;

constexpr double kBytes = 4;

/// Multiply-adds of norms and sum of one call; `pass` is one of the three products of ordinary training.
double products(const clip::Method& method, const rules::Cost& cost, double pass, bool gram) {
  const double norms = gram ? cost.gram : cost.instantiate;
  if (method.sum == SumRoute::second_backward) return norms + 2 * pass;
  if (method.sum == SumRoute::kept && !gram) return norms + cost.kept_elements;
  return norms + pass;
}

/// Whether the papers run an ordinary backward pass, with weight gradients, before or beside the norms.
bool forms_weight_gradients_first(const clip::Method& method) {
  return method.sum == SumRoute::second_backward || method.norm == NormRoute::instantiate;
}

/// Elements that one call holds beyond ordinary training.
double extra_elements(const rules::Cost& cost, bool gram, double examples) {
  return gram ? 2 * examples * cost.positions * cost.positions : cost.kept_elements;
}

}  // namespace

Formula formula_of(const clip::Method& method, std::span<const rules::Cost> costs, int64_t examples) {
  const auto count = static_cast<double>(examples);
  Formula formula;
  double kept = 0, largest = 0, passes = 0;
  for (const auto& cost : costs) {
    const double pass = cost.weighted_sum;  // B T p d
    double calls = 2 * pass;                // forward and output gradients
    if (method.norm == NormRoute::none || method.norm == NormRoute::loop_forward) {
      calls += pass;
    } else if (method.norm == NormRoute::loop_backward) {
      calls = pass + 2 * count * pass;  // each of B backward passes runs over the whole batch
    } else {
      const bool gram = method.norm == NormRoute::measured ? cost.gram < cost.instantiate : clip::uses_gram(method.norm, cost);
      calls += products(method, cost, pass, gram);
      const double elements = extra_elements(cost, gram, count);
      largest = std::max(largest, elements);
      if (method.sum == SumRoute::kept && !gram) kept += elements;
    }
    formula.operations += 2 * calls;
    passes += 2 * pass;
  }
  if (method.norm != NormRoute::measured)
    formula.paper_operations = formula.operations + (forms_weight_gradients_first(method) ? passes : 0);
  formula.extra_bytes = kBytes * std::max(kept, largest);
  return formula;
}

}  // namespace ghostgrad::measure
