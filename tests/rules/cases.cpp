// SPDX-License-Identifier: Apache-2.0
#include "tests/rules/harness.h"

#include <ATen/CPUGeneratorImpl.h>

namespace ghostgrad::rules::tests {
namespace {

std::vector<std::function<Case()>>& makers() {
  static std::vector<std::function<Case()>> registered;
  return registered;
}

/// Values that every dtype of the tests holds exactly.
at::Tensor exact(const at::Tensor& values) { return values.to(at::kBFloat16).to(at::kDouble); }

}  // namespace

RegisterCase::RegisterCase(std::function<Case()> make) { makers().push_back(std::move(make)); }

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& make : makers()) cases.push_back(make());
  return cases;
}

Draw::Draw(uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

at::Tensor Draw::normal(at::IntArrayRef sizes) { return exact(at::randn(sizes, generator_, at::kDouble)); }

at::Tensor Draw::positive(at::IntArrayRef sizes) { return exact(at::rand(sizes, generator_, at::kDouble) + 0.5); }

at::Tensor Draw::integers(int64_t high, at::IntArrayRef sizes) { return at::randint(high, sizes, generator_, at::kLong); }

at::Tensor score(const at::Tensor& outputs) { return (outputs.square() * 0.5 + outputs).flatten(1).sum(1); }

}  // namespace ghostgrad::rules::tests
