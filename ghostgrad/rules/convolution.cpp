// SPDX-License-Identifier: Apache-2.0
// Convolutions over any number of spatial dimensions: stride, padding, dilation, groups, transposed, several images per example.
//
//     z = conv(x, w) + b         weight: convolution_term.h        bias: G_i = sum over images and positions of g_i
//
// Padding modes other than zeros are ops of their own, above the convolution.
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/rules/convolution_term.h"
#include "ghostgrad/rules/examples_first.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {
namespace {

namespace generated = torch::autograd::generated;

/// One number for each spatial dimension; a single one stands for all.
std::vector<int64_t> each(const std::vector<c10::SymInt>& numbers, int64_t spatial) {
  std::vector<int64_t> result;
  for (int64_t d = 0; d < spatial; ++d) result.push_back(numbers[numbers.size() == 1 ? 0 : d].expect_int());
  return result;
}

/// Output padding of a stride or more is possible with dilation: then input and output do not change places one to one.
bool exchangeable(const std::vector<int64_t>& output_padding, const std::vector<int64_t>& stride) {
  for (size_t d = 0; d < stride.size(); ++d) {
    if (output_padding[d] >= stride[d]) return false;
  }
  return true;
}

TermPtr weight_term(const CallSite& call, const graph::Axis& axis) {
  auto& node = call.node<generated::ConvolutionBackward0>();
  const int64_t spatial = call.grads[0].dim() - 2;
  const Convolution convolution{each(node.stride, spatial), each(node.padding, spatial), each(node.dilation, spatial),
                                node.groups.expect_int()};
  at::Tensor inputs = node.input_.unpack(call.self());
  if (!inputs.defined() || inputs.is_complex()) return nullptr;
  inputs = examples_first(inputs, axis, call.examples(), 1);
  const at::Tensor grads = examples_first(call.grads[0], axis, call.examples(), 1);
  if (!node.transposed) return std::make_unique<ConvolutionTerm>(inputs, grads, call.shape(1), convolution);
  if (!exchangeable(each(node.output_padding, spatial), convolution.stride)) return nullptr;
  return std::make_unique<ConvolutionTerm>(grads, inputs, call.shape(1), convolution);
}

TermPtr bias_term(const CallSite& call, const graph::Axis& axis) {
  const at::Tensor grads = at_least_float(examples_first(call.grads[0], axis, call.examples(), 1));  // [B, m, C, *]
  return std::make_unique<DenseTerm>(grads.flatten(3).sum({1, 3}), call.shape(2));
}

Terms convolution(const CallSite& call) {
  Terms terms;
  const auto images = call.axis_along(0);
  if (!images || call.grads[0].is_complex()) return terms;
  if (call.wants(1)) {
    if (auto term = weight_term(call, *images)) terms.emplace_back(1, std::move(term));
  }
  if (call.wants(2)) terms.emplace_back(2, bias_term(call, *images));
  return terms;
}

const RegisterRule registered{{"ConvolutionBackward0", "convolution", "conv(x, w) + b, transposed or not"}, convolution};

}  // namespace
}  // namespace ghostgrad::rules
