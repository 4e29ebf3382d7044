// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/router.h"

#include <algorithm>
#include <chrono>

#include <ATen/ops/empty.h>
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

/// What it takes to get memory from the system and to fill it, beyond filling memory at hand: seconds for each byte. Nothing where the
/// allocator keeps what was given back to it.
double seconds_per_fresh_byte() {
  constexpr int64_t kParts = 2, kBytes = int64_t{48} << 20;
  std::vector<at::Tensor> parts(kParts);
  const auto fill = [&] {
    const auto start = std::chrono::steady_clock::now();
    for (at::Tensor& part : parts) {
      if (!part.defined()) part = at::empty({kBytes}, at::kByte);
      part.fill_(1);
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  (void)fill();
  const double at_hand = fill();
  for (at::Tensor& part : parts) part.reset();
  return std::max(0.0, fill() - at_hand) / static_cast<double>(kParts * kBytes);
}

/// A trial has the memory of the one before. All that is kept together does not: what is more than an allocator holds back from the system
/// between two steps (glibc 64 MiB at most) comes as fresh pages in each of them.
double seconds_to_keep(int64_t bytes, int64_t kept_bytes, at::Device device) {
  constexpr int64_t kHeldBack = int64_t{64} << 20;
  if (!device.is_cpu() || kept_bytes + bytes <= kHeldBack) return 0;
  static const double per_byte = seconds_per_fresh_byte();
  return per_byte * static_cast<double>(bytes);
}

/// By the published rule, which is one of memory.
Route smaller_route(Bundle& bundle) {
  return bundle.has_gram() && uses_gram(NormRoute::mixed, bundle.cost()) ? Route::gram : Route::instantiate;
}

}  // namespace

const Router::Trial& Router::trial(Bundle& bundle, const rules::Cost& cost) {
  const std::string key = fmt::format("{} {} {} {}", bundle.label(), cost.instantiate, cost.gram, cost.kept_elements);
  const auto known = trials_.find(key);
  if (known != trials_.end()) return known->second;
  const double instantiate = seconds(bundle, Route::instantiate_keep);
  return trials_[key] = {instantiate, seconds(bundle, Route::gram)};
}

bool Router::gram_is_faster(Bundle& bundle, int64_t bytes, at::Device device) {
  const rules::Cost cost = bundle.cost();
  if (cost.positions == 1) return true;  // |a|^2 |g|^2: nothing is cheaper
  const auto [instantiate, gram] = trial(bundle, cost);
  return gram < instantiate + seconds_to_keep(bytes, kept_bytes_, device);
}

Route Router::route(Bundle& bundle, const at::TensorOptions& losses) {
  const bool measures = method_->norm == NormRoute::measured;
  const auto bytes = static_cast<int64_t>(bundle.cost().kept_elements) * static_cast<int64_t>(losses.dtype().itemsize());
  if (measures && kept_bytes_ + bytes > keep_bytes_) return smaller_route(bundle);  // untried: a trial would hold what does not fit
  if (bundle.has_gram()) {
    const bool gram = measures ? gram_is_faster(bundle, bytes, losses.device()) : uses_gram(method_->norm, bundle.cost());
    if (gram) return Route::gram;
  }
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
