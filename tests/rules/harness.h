// SPDX-License-Identifier: Apache-2.0
// The judge of all rules: tiny models whose terms must agree with the naive loop, one example at a time, forward and backward, in float64.
//
//     for each case x dtype x B:   per-example gradients, squared norms, weighted sums == the loop's
//                                  an example that is not valid, full of NaN, leaves no trace
//
// A family of layers adds one file tests/rules/<family>_cases.cpp:
//
//     const RegisterCase plain([] {
//       Draw draw(1);
//       return Case{"linear_of_vectors", {draw.normal({4, 3})}, {draw.normal({kMostExamples, 3})},
//                   [](const Tensors& w, const Tensors& x) { return score(at::linear(x[0], w[0])); }};
//     });
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules::tests {

using Tensors = std::vector<at::Tensor>;

constexpr int64_t kMostExamples = 5;

struct Case {
  std::string name;
  Tensors parameters;  // float64, of values that bfloat16 holds exactly
  Tensors inputs;      // examples first, kMostExamples of them; float64 of such values, or integers
  std::function<at::Tensor(const Tensors& parameters, const Tensors& inputs)> losses;  // [B], from any number of examples
  std::vector<std::string> fallback = {};  // the nodes that may run through the fallback; every other edge must have a rule
  bool knows_positions = false;            // what an example gets depends on its place in the batch: the loop then runs over its losses
};

class RegisterCase {
 public:
  explicit RegisterCase(std::function<Case()> make);
};

[[nodiscard]] std::vector<Case> all_cases();

/// Numbers for cases, the same in every run.
class Draw {
 public:
  explicit Draw(uint64_t seed);
  [[nodiscard]] at::Tensor normal(at::IntArrayRef sizes);
  [[nodiscard]] at::Tensor positive(at::IntArrayRef sizes);  // 0.5 and more
  [[nodiscard]] at::Tensor integers(int64_t high, at::IntArrayRef sizes);

 private:
  at::Generator generator_;
};

/// A loss for each example from an output [B, ...], with a gradient that differs from element to element.
[[nodiscard]] at::Tensor score(const at::Tensor& outputs);

/// Replaces terms by others, to see whether the judge notices.
using Tamper = std::function<TermPtr(TermPtr)>;

/// What is wrong with the terms of a case: one line each, none when all is right.
[[nodiscard]] std::vector<std::string> faults(const Case& tested, at::ScalarType dtype, int64_t examples, const Tamper& tamper = {});

/// The largest relative errors met so far, by dtype: per-example gradients, norms and sums against the loop.
[[nodiscard]] std::string largest_errors();

}  // namespace ghostgrad::rules::tests
