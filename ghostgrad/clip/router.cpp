// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/router.h"

#include <algorithm>
#include <chrono>

#include <ATen/ops/ones.h>
#include <fmt/format.h>

namespace ghostgrad::clip {
namespace {

/// Norms and sum by one route: shortest of a few runs. Of two at a time, because what two terms share is formed by one of them
/// (rules/common_factor.h). The shapes alone matter: all coefficients are one.
double seconds(Bundle& bundle, Route route) {
  constexpr int kRuns = 3, kAtATime = 2;
  const auto parameters = bundle.parameters();
  const std::vector<int> all_in_one(*std::max_element(parameters.begin(), parameters.end()) + 1, 0);
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    for (int time = 0; time < kAtATime; ++time) {
      const at::Tensor norms = bundle.squared_norms(route).at(0).second;
      (void)bundle.weighted_sums({at::ones({1, norms.size(0)}, norms.options()), all_in_one});
    }
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = run == 0 ? elapsed : std::min(best, elapsed);
  }
  return best;
}

/// By the published rule, which is one of memory.
Route smaller_route(Bundle& bundle) {
  return bundle.has_gram() && uses_gram(NormRoute::mixed, bundle.cost()) ? Route::gram : Route::instantiate;
}

}  // namespace

bool Router::gram_is_faster(Bundle& bundle) {
  const rules::Cost cost = bundle.cost();
  if (cost.positions == 1) return true;  // |a|^2 |g|^2: nothing is cheaper
  const std::string key = fmt::format("{} {} {} {}", bundle.label(), cost.instantiate, cost.gram, cost.kept_elements);
  const auto known = measured_.find(key);
  if (known != measured_.end()) return known->second;
  const double instantiate = seconds(bundle, Route::instantiate_keep);
  const double gram = seconds(bundle, Route::gram);
  return measured_[key] = gram < instantiate;
}

bool Router::prefers_gram(Bundle& bundle) {
  if (!bundle.has_gram()) return false;
  return method_->norm == NormRoute::measured ? gram_is_faster(bundle) : uses_gram(method_->norm, bundle.cost());
}

Route Router::route(Bundle& bundle, int64_t element_size) {
  const auto bytes = static_cast<int64_t>(bundle.cost().kept_elements) * element_size;
  const bool fits = method_->norm != NormRoute::measured || kept_bytes_ + bytes <= keep_bytes_;
  if (!fits) return smaller_route(bundle);  // untried: a trial would hold what does not fit
  if (prefers_gram(bundle)) return Route::gram;
  if (method_->sum != SumRoute::kept) return Route::instantiate;
  kept_bytes_ += bytes;
  return Route::instantiate_keep;
}

bool uses_gram(NormRoute norm, const rules::Cost& cost) {
  switch (norm) {
    case NormRoute::gram:
      return true;
    case NormRoute::closed_form:
      return cost.positions == 1;
    case NormRoute::mixed:
      return 2 * cost.positions * cost.positions <= cost.weight_elements;
    default:
      return false;
  }
}

std::string to_string(Route route) {
  switch (route) {
    case Route::gram:
      return "gram";
    case Route::instantiate:
      return "instantiate";
    case Route::instantiate_keep:
      return "instantiate and keep";
  }
  return "?";
}

}  // namespace ghostgrad::clip
