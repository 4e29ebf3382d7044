// SPDX-License-Identifier: Apache-2.0
#include "tests/graph/cases.h"

#include "tests/graph/probe.h"

namespace ghostgrad::graph {
namespace {

std::string list(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += "\n    " + text;
  return all;
}

}  // namespace

void judge(const std::vector<Case>& cases) {
  at::set_num_threads(1);  // tiny tensors
  for (const Case& c : cases) {
    at::manual_seed(7);
    const at::Tensor losses = c.losses();
    const Probed probed = probe(losses, leaves_of(losses));
    EXPECT_TRUE(probed.wrong.empty()) << c.name << ": wrong owners" << list(probed.wrong);
    EXPECT_EQ(probed.mixed, c.expect != Expect::resolved) << c.name;
    EXPECT_EQ(!probed.missed.empty(), c.expect == Expect::missed) << c.name << ": missed" << list(probed.missed);
  }
}

at::Tensor randn(at::IntArrayRef sizes) { return at::randn(sizes, at::kDouble); }
at::Tensor uniform(at::IntArrayRef sizes) { return at::rand(sizes, at::kDouble); }
at::Tensor integers(int64_t low, int64_t high, at::IntArrayRef sizes) { return at::randint(low, high, sizes, at::kLong); }
at::Tensor parameter(at::IntArrayRef sizes) { return at::randn(sizes, at::kDouble).requires_grad_(true); }
at::Tensor numbers(const std::vector<int64_t>& values) { return at::tensor(values, at::kLong); }

at::Tensor square() { return at::tanh(randn({B, B}).matmul(parameter({B, B})) + parameter({B, B})); }
at::Tensor cube() { return at::tanh(randn({B, B, B}).matmul(parameter({B, B})) + parameter({B, B, B})); }

at::Tensor features(std::vector<int64_t> sizes) {
  sizes.push_back(6);
  return at::tanh(randn(sizes).matmul(parameter({6, 6})));
}

at::Tensor per(const at::Tensor& y, int64_t dim) {
  std::vector<int64_t> others;
  for (int64_t d = 0; d < y.dim(); ++d) {
    if (d != dim) others.push_back(d);
  }
  return others.empty() ? y : y.sum(others);
}

}  // namespace ghostgrad::graph
