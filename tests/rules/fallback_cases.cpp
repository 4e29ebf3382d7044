// SPDX-License-Identifier: Apache-2.0
// Ops without a rule: exact through the node itself. And zones: parameters that are computed from before they are used.
#include "tests/rules/harness.h"

namespace ghostgrad::rules::tests {
namespace {

constexpr int64_t N = kMostExamples;

const RegisterCase power([] {
  return Case{"fallback_power",
              {Draw(700).positive({4})},
              {Draw(701).positive({N, 3, 4})},
              [](const Tensors& w, const Tensors& x) { return score(at::pow(x[0], w[0])); },
              {"PowBackward1"}};
});

const RegisterCase fused_product([] {
  return Case{"fallback_addcmul",
              {Draw(702).normal({4}), Draw(703).normal({4})},
              {Draw(704).normal({N, 3, 4})},
              [](const Tensors& w, const Tensors& x) { return score(at::addcmul(w[1], x[0], w[0], 0.5)); },
              {"AddcmulBackward0"}};
});

const RegisterCase bilinear([] {
  Draw draw(705);
  return Case{"fallback_bilinear",
              {draw.normal({3, 4, 2})},
              {draw.normal({N, 4}), draw.normal({N, 2})},
              [](const Tensors& w, const Tensors& x) { return score(at::bilinear(x[0], x[1], w[0])); },
              {"TrilinearBackward0"}};
});

const RegisterCase low_rank([] {
  Draw draw(708);
  return Case{"zone_of_a_low_rank_update",
              {draw.normal({3, 4}), draw.normal({3, 2}), draw.normal({2, 4})},
              {draw.normal({N, 5, 4})},
              [](const Tensors& w, const Tensors& x) { return score(at::linear(x[0], w[0] + at::mm(w[1], w[2]))); }};
});

const RegisterCase weight_norm([] {
  Draw draw(709);
  return Case{"zone_of_weight_norm",
              {draw.normal({3, 4}), draw.positive({3, 1})},
              {draw.normal({N, 5, 4})},
              [](const Tensors& w, const Tensors& x) { return score(at::linear(x[0], w[1] * w[0] / w[0].norm(2, {1}, true))); }};
});

}  // namespace
}  // namespace ghostgrad::rules::tests
