// SPDX-License-Identifier: Apache-2.0
// PReLU: the slope of the negative part, one for all channels or one for each.
//
//     z = x for x > 0, w x otherwise          G_i = sum over x <= 0 of g x
#include <ATen/ops/clamp_max.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {
namespace {

Terms prelu(const CallSite& call) {
  auto& node = call.node<torch::autograd::generated::PreluKernelBackward0>();
  Terms terms;
  if (!call.wants(1)) return terms;
  const at::Tensor negative = at::clamp_max(at_least_float(node.self_.unpack(call.self())), 0);
  if (const auto sum = call.summed(negative * call.grads[0], 1)) terms.emplace_back(1, std::make_unique<DenseTerm>(*sum, call.shape(1)));
  return terms;
}

const RegisterRule registered{{"PreluKernelBackward0", "PReLU", "x > 0 ? x : w * x"}, prelu};

}  // namespace
}  // namespace ghostgrad::rules
