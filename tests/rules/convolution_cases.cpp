// SPDX-License-Identifier: Apache-2.0
// Convolutions: dimensions, strides, paddings, dilations, groups, transposed ones, several images per example, memory formats.
#include "tests/rules/harness.h"

namespace ghostgrad::rules::tests {
namespace {

constexpr int64_t N = kMostExamples;

/// What a convolution is called with. One number stands for all spatial dimensions.
struct Setting {
  std::string name;
  std::vector<int64_t> weight;  // shape
  std::vector<int64_t> image;   // [C, *spatial]
  int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
  bool transposed = false;
  int64_t output_padding = 0;
  std::vector<std::string> fallback = {};
};

at::Tensor convolve(const at::Tensor& x, const Tensors& w, const Setting& s) {
  const auto each = [&](int64_t number) { return std::vector<int64_t>(s.image.size() - 1, number); };
  return at::convolution(x, w[0], w[1], each(s.stride), each(s.padding), each(s.dilation), s.transposed, each(s.output_padding), s.groups);
}

Case make(const Setting& s) {
  Draw draw(100 + std::hash<std::string>()(s.name) % 1000);
  std::vector<int64_t> images{N};
  images.insert(images.end(), s.image.begin(), s.image.end());
  const int64_t outputs = s.transposed ? s.weight[1] * s.groups : s.weight[0];
  return {"convolution_" + s.name,
          {draw.normal(s.weight), draw.normal({outputs})},
          {draw.normal(images)},
          [s](const Tensors& w, const Tensors& x) { return score(convolve(x[0], w, s)); },
          s.fallback};
}

const RegisterCase plain_1d([] { return make({.name = "1d", .weight = {4, 3, 3}, .image = {3, 8}}); });
const RegisterCase plain_2d([] { return make({.name = "2d", .weight = {4, 3, 3, 3}, .image = {3, 6, 5}}); });
const RegisterCase plain_3d([] { return make({.name = "3d", .weight = {4, 2, 2, 2, 2}, .image = {2, 4, 3, 4}}); });
const RegisterCase strided([] {
  return make({.name = "strided_and_padded", .weight = {4, 3, 3, 3}, .image = {3, 7, 7}, .stride = 2, .padding = 1});
});
const RegisterCase slack([] {
  return make({.name = "that_does_not_reach_the_border", .weight = {4, 3, 2, 3}, .image = {3, 8, 6}, .stride = 3});
});
const RegisterCase dilated([] {
  return make({.name = "dilated", .weight = {4, 3, 3, 3}, .image = {3, 8, 7}, .padding = 2, .dilation = 2});
});
const RegisterCase in_groups([] {
  return make({.name = "in_groups", .weight = {6, 2, 3, 3}, .image = {4, 5, 5}, .padding = 1, .groups = 2});
});
const RegisterCase in_groups_1d([] {
  return make({.name = "1d_in_groups", .weight = {6, 2, 3}, .image = {4, 9}, .stride = 2, .dilation = 2, .groups = 2});
});
const RegisterCase depthwise([] {
  return make({.name = "depthwise", .weight = {8, 1, 3, 3}, .image = {4, 5, 5}, .padding = 1, .groups = 4});
});
const RegisterCase pointwise([] { return make({.name = "pointwise", .weight = {5, 3, 1, 1}, .image = {3, 4, 4}}); });
const RegisterCase pointwise_strided([] {
  return make({.name = "pointwise_strided", .weight = {5, 3, 1, 1}, .image = {3, 5, 5}, .stride = 2});
});
const RegisterCase whole_image([] { return make({.name = "as_large_as_the_image", .weight = {5, 3, 4, 4}, .image = {3, 4, 4}}); });
const RegisterCase patches([] { return make({.name = "of_patches", .weight = {6, 3, 2, 2}, .image = {3, 6, 6}, .stride = 2}); });
const RegisterCase many_channels([] {
  return make({.name = "of_many_channels", .weight = {96, 6, 3, 3}, .image = {6, 4, 4}, .padding = 1});
});
const RegisterCase large_image([] {
  return make({.name = "of_a_large_image", .weight = {12, 12, 3, 3}, .image = {12, 40, 40}, .padding = 1});
});

const RegisterCase transposed([] {
  return make({.name = "transposed",
               .weight = {3, 4, 3, 3},
               .image = {3, 4, 5},
               .stride = 2,
               .padding = 1,
               .transposed = true,
               .output_padding = 1});
});
const RegisterCase transposed_1d([] {
  return make({.name = "transposed_1d_in_groups",
               .weight = {4, 3, 3},
               .image = {4, 6},
               .stride = 2,
               .dilation = 2,
               .groups = 2,
               .transposed = true});
});
const RegisterCase transposed_3d([] {
  return make({.name = "transposed_3d", .weight = {2, 3, 2, 2, 2}, .image = {2, 3, 3, 2}, .transposed = true});
});
const RegisterCase overhanging([] {
  return make({.name = "transposed_with_much_output_padding",
               .weight = {3, 4, 3, 3},
               .image = {3, 4, 4},
               .padding = 2,
               .dilation = 2,
               .transposed = true,
               .output_padding = 1,
               .fallback = {"ConvolutionBackward0"}});
});

const Setting kPlain{.name = "", .weight = {4, 3, 3, 3}, .image = {3, 6, 6}, .padding = 1};

Tensors parameters(uint64_t seed) {
  Draw draw(seed);
  return {draw.normal({4, 3, 3, 3}), draw.normal({4})};
}

/// Several images per example: views, crops, frames.
const RegisterCase several_images([] {
  return Case{"convolution_of_several_images_per_example",
              parameters(201),
              {Draw(202).normal({N, 2, 3, 6, 6})},
              [](const Tensors& w, const Tensors& x) {
                return score(convolve(x[0].flatten(0, 1), w, kPlain).view({x[0].size(0), -1}));
              }};
});

const RegisterCase views_outside([] {
  return Case{
      "convolution_of_views_stacked_outside", parameters(203), {Draw(204).normal({N, 2, 3, 6, 6})}, [](const Tensors& w, const Tensors& x) {
        const at::Tensor z = convolve(at::cat({x[0].select(1, 0), x[0].select(1, 1)}, 0), w, kPlain);
        return score(at::cat(z.chunk(2, 0), 1));
      }};
});

const RegisterCase chosen_images([] {
  Draw draw(205);
  return Case{"convolution_of_chosen_images",
              parameters(206),
              {draw.normal({N, 2, 3, 6, 6}), draw.integers(2, {N, 2})},
              [](const Tensors& w, const Tensors& x) {
                const at::Tensor chosen = x[1].flatten().nonzero().flatten();
                const at::Tensor losses = score(convolve(x[0].select(1, 0), w, kPlain));
                if (chosen.numel() == 0) return losses;
                const at::Tensor z = convolve(x[0].flatten(0, 1).index_select(0, chosen), w, kPlain);
                return losses.index_add(0, chosen.div(2, "floor"), score(z));
              }};
});

const RegisterCase channels_last([] {
  return Case{"convolution_channels_last", parameters(207), {Draw(208).normal({N, 3, 6, 6})}, [](const Tensors& w, const Tensors& x) {
                return score(convolve(x[0].contiguous(at::MemoryFormat::ChannelsLast).tanh(), w, kPlain));
              }};
});

const RegisterCase channels_last_strided([] {
  return Case{"convolution_channels_last_in_groups",
              {Draw(209).normal({6, 2, 3, 3}), Draw(210).normal({6})},
              {Draw(211).normal({N, 4, 7, 7})},
              [](const Tensors& w, const Tensors& x) {
                const Setting s{.name = "", .weight = {}, .image = {4, 7, 7}, .stride = 2, .groups = 2};
                return score(convolve(x[0].contiguous(at::MemoryFormat::ChannelsLast), w, s));
              }};
});

const RegisterCase reflected([] {
  return Case{
      "convolution_with_reflected_padding", parameters(212), {Draw(213).normal({N, 3, 6, 6})}, [](const Tensors& w, const Tensors& x) {
        const at::Tensor h = convolve(x[0], w, kPlain).slice(1, 0, 3);
        return score(convolve(at::reflection_pad2d(h, {1, 1, 1, 1}), w, {.name = "", .weight = {}, .image = {3, 8, 8}}));
      }};
});

const RegisterCase circular([] {
  return Case{
      "convolution_with_circular_padding", parameters(214), {Draw(215).normal({N, 3, 6, 6})}, [](const Tensors& w, const Tensors& x) {
        const at::Tensor h = convolve(x[0], w, kPlain).slice(1, 0, 3);
        return score(convolve(at::_pad_circular(h, {2, 1, 1, 2}), w, {.name = "", .weight = {}, .image = {3, 9, 9}}));
      }};
});

const RegisterCase same_padding([] {
  return Case{"convolution_with_same_padding_and_an_even_kernel",
              {Draw(216).normal({4, 3, 4}), Draw(217).normal({4})},
              {Draw(218).normal({N, 3, 9})},
              [](const Tensors& w, const Tensors& x) { return score(at::conv1d(x[0], w[0], w[1], 1, "same", 1, 1)); }};
});

const RegisterCase default_arguments([] {
  return Case{
      "convolution_with_default_arguments", parameters(219), {Draw(220).normal({N, 3, 5, 5})}, [](const Tensors& w, const Tensors& x) {
        return score(at::conv2d(x[0], w[0], w[1]));
      }};
});

const RegisterCase without_bias([] {
  return Case{"convolution_without_bias",
              {Draw(221).normal({4, 3, 3, 3})},
              {Draw(222).normal({N, 3, 5, 5})},
              [](const Tensors& w, const Tensors& x) { return score(at::conv2d(x[0], w[0])); }};
});

const RegisterCase one_image_at_a_time([] {
  return Case{
      "convolution_in_a_loop_over_examples", parameters(223), {Draw(224).normal({N, 3, 5, 5})}, [](const Tensors& w, const Tensors& x) {
        Tensors losses;
        for (int64_t i = 0; i < x[0].size(0); ++i) losses.push_back(score(at::conv2d(x[0][i], w[0], w[1]).unsqueeze(0))[0]);
        return at::stack(losses);
      }};
});

const RegisterCase twice([] {
  return Case{"convolution_used_twice",
              {Draw(225).normal({3, 3, 3, 3}), Draw(226).normal({3})},
              {Draw(227).normal({N, 3, 6, 6})},
              [](const Tensors& w, const Tensors& x) { return score(convolve(convolve(x[0], w, kPlain).tanh(), w, kPlain)); }};
});

const RegisterCase at_two_sizes([] {
  return Case{"convolution_used_at_two_sizes",
              {Draw(228).normal({3, 3, 3, 3}), Draw(229).normal({3})},
              {Draw(230).normal({N, 3, 6, 6})},
              [](const Tensors& w, const Tensors& x) { return score(convolve(at::avg_pool2d(convolve(x[0], w, kPlain), 2), w, kPlain)); }};
});

}  // namespace
}  // namespace ghostgrad::rules::tests
