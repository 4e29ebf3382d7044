// SPDX-License-Identifier: Apache-2.0
// Named graphs, each with what the propagation must say of it, all judged by the probe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <ATen/ATen.h>

namespace ghostgrad::graph {

enum class Expect {
  resolved,  // every gradient above the parameters has its owners
  mixed,     // somewhere examples meet
  missed     // each element has one owner, but no layout of ours says so: sound, only slower
};

struct Case {
  std::string name;
  Expect expect;
  std::function<at::Tensor()> losses;
};

/// Runs each case with the probe: no wrong owner, and ownership is lost exactly where `expect` says so.
void judge(const std::vector<Case>& cases);

inline constexpr int64_t B = 4;

[[nodiscard]] at::Tensor randn(at::IntArrayRef sizes);
[[nodiscard]] at::Tensor uniform(at::IntArrayRef sizes);
[[nodiscard]] at::Tensor integers(int64_t low, int64_t high, at::IntArrayRef sizes);
[[nodiscard]] at::Tensor parameter(at::IntArrayRef sizes);
[[nodiscard]] at::Tensor numbers(const std::vector<int64_t>& values);

/// tanh(x W + h) with x, h [B, B] or [B, B, B]: every size is B, so no size gives the example axis away.
[[nodiscard]] at::Tensor square();
[[nodiscard]] at::Tensor cube();

/// tanh(x W) with x [sizes..., 6]
[[nodiscard]] at::Tensor features(std::vector<int64_t> sizes);

/// Sums everything but one dimension.
[[nodiscard]] at::Tensor per(const at::Tensor& y, int64_t dim = 0);

}  // namespace ghostgrad::graph
