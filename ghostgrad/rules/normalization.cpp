// SPDX-License-Identifier: Apache-2.0
// The gain and shift of normalisation layers: layer norm, RMS norm, group norm, batch norm in eval mode.
//
//     z = gain * (x - mean) / deviation + shift          gain: G_i = sum over positions of g (x - mean) / deviation,  shift: G_i = sum of g
//
// Instance norm is batch norm over [1, B*C, ...] with the gain repeated for each example: its calls are the repeats (broadcast.cpp). RMS
// norm of primitive ops is a product with the gain (broadcast.cpp).
#include <ATen/ops/empty.h>
#include <ATen/ops/native_group_norm_backward.h>
#include <ATen/ops/rsqrt.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include "ghostgrad/rules/examples_first.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::rules {
namespace {

namespace generated = torch::autograd::generated;

void add(const CallSite& call, int edge, const std::optional<at::Tensor>& sums, Terms& terms) {
  if (sums) terms.emplace_back(edge, std::make_unique<DenseTerm>(*sums, call.shape(edge)));
}

Terms layer_norm(const CallSite& call) {
  auto& node = call.node<generated::NativeLayerNormBackward0>();
  Terms terms;
  if (!call.only_first_slot()) return terms;
  if (call.wants(1)) {
    const at::Tensor x = at_least_float(node.input_.unpack(call.self()));
    at::Tensor products = x - node.result1_.unpack(call.self());
    add(call, 1, call.summed(products.mul_(node.result2_.unpack(call.self())).mul_(call.grads[0]), 1), terms);
  }
  if (call.wants(2)) add(call, 2, call.summed(call.grads[0], 2), terms);
  return terms;
}

Terms rms_norm(const CallSite& call) {
  auto& node = call.node<generated::FusedRmsNormBackward0>();
  Terms terms;
  if (!call.only_first_slot() || !call.wants(1)) return terms;
  const at::Tensor x = at_least_float(node.input_.unpack(call.self()));
  add(call, 1, call.summed((x * node.result1_.unpack(call.self())).mul_(call.grads[0]), 1), terms);
  return terms;
}

/// Statistics of the channels of each image: mean and reciprocal deviation [N, groups].
struct Statistics {
  at::Tensor mean, scale;
};

/// Gains and shifts of both kinds of term, by image and channel: [N, C]
struct ChannelSums {
  at::Tensor gain, shift;
};

/// x, g [N, C, *]. One fused library call: with the images folded into the channels, [1, N*C, *], the gradient of group norm's gain is
/// apart for each image.
ChannelSums channel_sums(const at::Tensor& input, const at::Tensor& grads, const Statistics& statistics) {
  const at::Tensor x = at_least_float(input), g = at_least_float(grads);
  const int64_t images = x.size(0), channels = images * x.size(1), size = x.numel() / std::max<int64_t>(1, channels);
  const at::Tensor mean = at_least_float(statistics.mean).reshape({1, -1}).contiguous(),
                   scale = at_least_float(statistics.scale).reshape({1, -1}).contiguous();
  const std::vector<int64_t> folded{1, channels, size};  // contiguous: the library reads all as if they were
  const auto [unused, gain, shift] =
      at::native_group_norm_backward(g.reshape(folded).contiguous(), x.reshape(folded).contiguous(), mean, scale,
                                     at::empty({channels}, x.options()), 1, channels, size, mean.size(1), {false, true, true});
  return {gain.view({images, -1}), shift.view({images, -1})};
}

void add_channel_terms(const CallSite& call, const ChannelSums& sums, const graph::Axis& images, Terms& terms) {
  const auto by_example = [&](const at::Tensor& sum) { return examples_first(sum, images, call.examples(), 1).sum(1); };
  if (call.wants(1)) add(call, 1, by_example(sums.gain), terms);
  if (call.wants(2)) add(call, 2, by_example(sums.shift), terms);
}

Terms group_norm(const CallSite& call) {
  auto& node = call.node<generated::NativeGroupNormBackward0>();
  Terms terms;
  const auto images = call.axis_along(0);
  if (!images || !call.only_first_slot()) return terms;
  const Statistics statistics{node.result1_.unpack(call.self()), node.result2_.unpack(call.self())};
  add_channel_terms(call, channel_sums(node.input_.unpack(call.self()), call.grads[0], statistics), *images, terms);
  return terms;
}

/// In eval mode every channel has the running statistics for all images.
Terms batch_norm(const CallSite& call) {
  auto& node = call.node<generated::NativeBatchNormBackward0>();
  Terms terms;
  const auto images = call.axis_along(0);
  if (!images || node.training || !call.only_first_slot()) return terms;
  const at::Tensor input = node.input_.unpack(call.self());
  const at::Tensor mean = node.running_mean_.unpack(call.self()), variance = node.running_var_.unpack(call.self());
  if (!mean.defined() || !variance.defined()) return terms;
  const at::Tensor scale = at::rsqrt(at_least_float(variance) + node.eps);
  const std::vector<int64_t> each_image{input.size(0), input.size(1)};
  add_channel_terms(call, channel_sums(input, call.grads[0], {mean.expand(each_image), scale.expand(each_image)}), *images, terms);
  return terms;
}

const RegisterRule registered_layer{{"NativeLayerNormBackward0", "layer norm", "gain * (x - mean) / deviation + shift"}, layer_norm};
const RegisterRule registered_rms{{"FusedRmsNormBackward0", "RMS norm", "gain * x / root mean square"}, rms_norm};
const RegisterRule registered_group{{"NativeGroupNormBackward0", "group norm", "gain * (x - mean) / deviation + shift, by channel"},
                                    group_norm};
const RegisterRule registered_batch{{"NativeBatchNormBackward0", "batch norm", "the same with running statistics (eval mode)"}, batch_norm};

}  // namespace
}  // namespace ghostgrad::rules
