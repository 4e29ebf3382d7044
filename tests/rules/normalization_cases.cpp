// SPDX-License-Identifier: Apache-2.0
// Normalisation layers: layer, RMS, group and instance norm, batch norm with running statistics.
#include "tests/rules/harness.h"

namespace ghostgrad::rules::tests {
namespace {

constexpr int64_t N = kMostExamples;
constexpr double kEps = 1e-3;

Tensors gain_and_shift(uint64_t seed, at::IntArrayRef shape) {
  Draw draw(seed);
  return {draw.positive(shape), draw.normal(shape)};
}

const RegisterCase vectors([] {
  return Case{"layer_norm_of_vectors", gain_and_shift(400, {6}), {Draw(401).normal({N, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(at::layer_norm(x[0], {6}, w[0], w[1], kEps));
              }};
});

const RegisterCase batch_first([] {
  return Case{"layer_norm_batch_first", gain_and_shift(402, {6}), {Draw(403).normal({N, 3, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(at::layer_norm(x[0], {6}, w[0], w[1], kEps));
              }};
});

const RegisterCase sequence_first([] {
  return Case{"layer_norm_sequence_first", gain_and_shift(404, {6}), {Draw(405).normal({N, 3, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(at::layer_norm(x[0].transpose(0, 1), {6}, w[0], w[1], kEps).transpose(0, 1));
              }};
});

const RegisterCase of_images([] {
  return Case{"layer_norm_over_three_dimensions",
              gain_and_shift(406, {2, 3, 4}),
              {Draw(407).normal({N, 2, 3, 4})},
              [](const Tensors& w, const Tensors& x) {
                return score(at::layer_norm(x[0], {2, 3, 4}, w[0], w[1], kEps));
              }};
});

const RegisterCase without_shift([] {
  return Case{"layer_norm_without_shift", {Draw(408).positive({6})}, {Draw(409).normal({N, 3, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(at::layer_norm(x[0], {6}, w[0], {}, kEps));
              }};
});

const RegisterCase twice([] {
  return Case{"layer_norm_used_twice", gain_and_shift(410, {6}), {Draw(411).normal({N, 3, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(at::layer_norm(at::layer_norm(x[0], {6}, w[0], w[1], kEps).tanh(), {6}, w[0], w[1], kEps));
              }};
});

const RegisterCase in_a_loop([] {
  return Case{"layer_norm_in_a_loop_over_examples",
              gain_and_shift(412, {6}),
              {Draw(413).normal({N, 3, 6})},
              [](const Tensors& w, const Tensors& x) {
                Tensors losses;
                for (int64_t i = 0; i < x[0].size(0); ++i)
                  losses.push_back(score(at::layer_norm(x[0][i], {6}, w[0], w[1], kEps).unsqueeze(0))[0]);
                return at::stack(losses);
              }};
});

const RegisterCase rms([] {
  return Case{
      "rms_norm_of_primitive_ops", {Draw(414).positive({6})}, {Draw(415).normal({N, 3, 6})}, [](const Tensors& w, const Tensors& x) {
        return score(x[0] * (x[0].square().mean(-1, /*keepdim=*/true) + kEps).rsqrt() * w[0]);
      }};
});

const RegisterCase rms_of_the_library([] {
  return Case{"rms_norm_of_the_library", {Draw(416).positive({6})}, {Draw(417).normal({N, 3, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(at::rms_norm(x[0], {6}, w[0], kEps));
              }};
});

const RegisterCase rms_fused([] {
  return Case{"rms_norm_fused", {Draw(418).positive({6})}, {Draw(419).normal({N, 3, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(std::get<0>(at::_fused_rms_norm(x[0], {6}, w[0], kEps)));
              }};
});

/// 1 + w, as some language models have it.
const RegisterCase rms_around_one([] {
  return Case{
      "rms_norm_with_a_gain_around_one", {Draw(420).normal({6})}, {Draw(421).normal({N, 3, 6})}, [](const Tensors& w, const Tensors& x) {
        return score(x[0] * (x[0].square().mean(-1, true) + kEps).rsqrt() * (w[0] + 1));
      }};
});

const RegisterCase groups([] {
  return Case{"group_norm", gain_and_shift(422, {6}), {Draw(423).normal({N, 6, 3, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::group_norm(x[0], 3, w[0], w[1], kEps));
              }};
});

const RegisterCase groups_without_positions([] {
  return Case{"group_norm_of_vectors", gain_and_shift(424, {6}), {Draw(425).normal({N, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(at::group_norm(x[0], 2, w[0], w[1], kEps));
              }};
});

/// The library's own backward needs a gradient of the input in this memory format: hence the first scale.
const RegisterCase groups_channels_last([] {
  return Case{"group_norm_channels_last",
              {Draw(426).positive({6}), Draw(446).normal({6}), Draw(456).positive({6, 1, 1})},
              {Draw(427).normal({N, 6, 3, 4})},
              [](const Tensors& w, const Tensors& x) {
                return score(at::group_norm((x[0] * w[2]).contiguous(at::MemoryFormat::ChannelsLast), 2, w[0], w[1], kEps));
              }};
});

const RegisterCase groups_of_several_images([] {
  return Case{"group_norm_of_several_images_per_example",
              gain_and_shift(428, {6}),
              {Draw(429).normal({N, 2, 6, 5})},
              [](const Tensors& w, const Tensors& x) {
                return score(at::group_norm(x[0].transpose(0, 1).flatten(0, 1), 1, w[0], w[1], kEps).view({2, -1, 6, 5}).transpose(0, 1));
              }};
});

const RegisterCase groups_without_shift([] {
  return Case{"group_norm_without_shift", {Draw(430).positive({6})}, {Draw(431).normal({N, 6, 5})}, [](const Tensors& w, const Tensors& x) {
                return score(at::group_norm(x[0], 6, w[0], {}, kEps));
              }};
});

const RegisterCase instance([] {
  return Case{"instance_norm", gain_and_shift(432, {3}), {Draw(433).normal({N, 3, 4, 4})}, [](const Tensors& w, const Tensors& x) {
                return score(at::instance_norm(x[0], w[0], w[1], {}, {}, /*use_input_stats=*/true, 0.1, kEps, false));
              }};
});

/// Running statistics are buffers, not parameters: eval mode.
at::Tensor normalised_by_statistics(const at::Tensor& x, const Tensors& w) {
  Draw draw(434);
  const at::Tensor mean = draw.normal({3}).to(x.scalar_type()), variance = draw.positive({3}).to(x.scalar_type());
  return at::batch_norm(x, w[0], w[1], mean, variance, /*training=*/false, 0.1, kEps, false);
}

const RegisterCase batch_of_images([] {
  return Case{
      "batch_norm_in_eval_mode", gain_and_shift(435, {3}), {Draw(436).normal({N, 3, 4, 4})}, [](const Tensors& w, const Tensors& x) {
        return score(normalised_by_statistics(x[0], w));
      }};
});

const RegisterCase batch_of_vectors([] {
  return Case{
      "batch_norm_of_vectors_in_eval_mode", gain_and_shift(437, {3}), {Draw(438).normal({N, 3})}, [](const Tensors& w, const Tensors& x) {
        return score(normalised_by_statistics(x[0], w));
      }};
});

}  // namespace
}  // namespace ghostgrad::rules::tests
