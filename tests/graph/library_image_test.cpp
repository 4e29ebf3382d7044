// SPDX-License-Identifier: Apache-2.0
// Convolutions, pools, upsampling, padding.
#include "tests/graph/cases.h"

#include <torch/nn/functional.h>

namespace ghostgrad::graph {
namespace {

using at::Tensor;
using enum Expect;
namespace F = torch::nn::functional;

Tensor line() { return features({B, 3}); }
Tensor plane() { return features({B, 3, 4}); }
Tensor volume() { return features({B, 2, 4, 6}); }

Tensor resized(const Tensor& x, std::vector<double> scale, const F::InterpolateFuncOptions& mode) {
  auto options = mode;
  return per(F::interpolate(x, options.scale_factor(std::move(scale))));
}

TEST(LibraryImages, Pools) {
  judge({
      {"max 1d", resolved, [] { return per(at::max_pool1d(line(), 2)); }},
      {"average 1d", resolved, [] { return per(at::avg_pool1d(line(), 2)); }},
      {"adaptive average 1d", resolved, [] { return per(at::adaptive_avg_pool1d(line(), 2)); }},
      {"adaptive max 1d", resolved, [] { return per(std::get<0>(at::adaptive_max_pool1d(line(), 2))); }},
      {"power average 1d", resolved, [] { return per(F::lp_pool1d(line(), F::LPPool1dFuncOptions(2., 2))); }},
      {"max 2d", resolved, [] { return per(at::max_pool2d(plane(), 2)); }},
      {"average 2d", resolved, [] { return per(at::avg_pool2d(plane(), 2)); }},
      {"adaptive average 2d", resolved,
       [] {
         return per(at::adaptive_avg_pool2d(plane(), {2, 2}));
       }},
      {"adaptive max 2d", resolved,
       [] {
         return per(std::get<0>(at::adaptive_max_pool2d(plane(), {2, 2})));
       }},
      {"fractional max 2d", resolved,
       [] {
         return per(std::get<0>(at::fractional_max_pool2d(plane(), {2, 2}, {2, 2}, uniform({B, 3, 2}))));
       }},
      {"max 3d", resolved, [] { return per(at::max_pool3d(volume(), 2)); }},
      {"average 3d", resolved, [] { return per(at::avg_pool3d(volume(), 2)); }},
      {"adaptive average 3d", resolved,
       [] {
         return per(at::adaptive_avg_pool3d(volume(), {2, 2, 2}));
       }},
      {"max 2d with examples as channels", resolved,
       [] {
         return per(at::max_pool2d(plane().select(1, 0), {2, 2}));
       }},
      {"max 2d with examples as rows", mixed,
       [] {
         return per(at::max_pool2d(plane().transpose(0, 2), {2, 2}), 2).repeat(2);
       }},
  });
}

TEST(LibraryImages, Upsampling) {
  judge({
      {"nearest 1d", resolved, [] { return resized(line(), {2}, F::InterpolateFuncOptions().mode(torch::kNearest)); }},
      {"linear 1d", resolved, [] { return resized(line(), {2}, F::InterpolateFuncOptions().mode(torch::kLinear)); }},
      {"nearest 2d", resolved,
       [] {
         return resized(plane(), {2, 2}, F::InterpolateFuncOptions().mode(torch::kNearest));
       }},
      {"nearest exact 2d", resolved,
       [] {
         return resized(plane(), {2, 2}, F::InterpolateFuncOptions().mode(torch::kNearestExact));
       }},
      {"bilinear", resolved,
       [] {
         return resized(plane(), {2, 2}, F::InterpolateFuncOptions().mode(torch::kBilinear));
       }},
      {"bilinear, antialiased", resolved,
       [] {
         return resized(plane(), {.5, .5}, F::InterpolateFuncOptions().mode(torch::kBilinear).antialias(true));
       }},
      {"bicubic", resolved,
       [] {
         return resized(plane(), {2, 2}, F::InterpolateFuncOptions().mode(torch::kBicubic));
       }},
      {"area", resolved,
       [] {
         return resized(plane(), {2, 2}, F::InterpolateFuncOptions().mode(torch::kArea));
       }},
      {"trilinear", resolved,
       [] {
         return resized(volume(), {2, 2, 2}, F::InterpolateFuncOptions().mode(torch::kTrilinear));
       }},
      {"grid sample", resolved,
       [] {
         return per(at::grid_sampler(plane(), uniform({B, 3, 3, 2}), 0, 0, false));
       }},
      {"grid sample on a grid of each example", resolved,
       [] {
         return per(at::grid_sampler(plane(), at::affine_grid_generator(features({B}).view({B, 2, 3}), {B, 3, 4, 6}, false), 0, 0, false));
       }},
      {"pixel shuffle", resolved,
       [] {
         return per(at::pixel_shuffle(features({B, 4, 2}), 2));
       }},
      {"pixel unshuffle", resolved,
       [] {
         return per(at::pixel_unshuffle(features({B, 1, 4}), 2));
       }},
      {"channel shuffle", resolved,
       [] {
         return per(at::channel_shuffle(features({B, 4, 2}), 2));
       }},
  });
}

TEST(LibraryImages, Padding) {
  judge({
      {"reflect 1d", resolved,
       [] {
         return per(at::reflection_pad1d(line(), {1, 1}));
       }},
      {"reflect 2d", resolved,
       [] {
         return per(at::reflection_pad2d(plane(), {1, 1, 1, 1}));
       }},
      {"replicate 1d", resolved,
       [] {
         return per(at::replication_pad1d(line(), {1, 1}));
       }},
      {"replicate 2d", resolved,
       [] {
         return per(at::replication_pad2d(plane(), {1, 1, 1, 1}));
       }},
      {"replicate 3d", resolved,
       [] {
         return per(at::replication_pad3d(volume(), {1, 1, 1, 1, 1, 1}));
       }},
      {"circular 1d", resolved,
       [] {
         return per(F::pad(line(), F::PadFuncOptions({1, 1}).mode(torch::kCircular)));
       }},
      {"circular 2d", resolved,
       [] {
         return per(F::pad(plane(), F::PadFuncOptions({1, 1, 1, 1}).mode(torch::kCircular)));
       }},
      {"constant", resolved,
       [] {
         return per(at::constant_pad_nd(plane(), {1, 0, 0, 2, 1, 1}));
       }},
      {"constant, examples too", resolved,
       [] {
         return per(at::constant_pad_nd(line(), {0, 0, 0, 0, 2, 2}).slice(0, 2, 2 + B));
       }},
  });
}

TEST(LibraryImages, Convolutions) {
  judge({
      {"conv 2d, grouped, dilated, strided", resolved,
       [] {
         return per(at::conv2d(features({B, 4, 5}), parameter({4, 2, 3, 3}), parameter({4}), 2, 1, 1, 2));
       }},
      {"conv 2d, channels last", resolved,
       [] {
         return per(at::conv2d(features({B, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast), parameter({4, 4, 3, 3})));
       }},
      {"conv 3d", resolved,
       [] {
         return per(at::conv3d(features({B, 2, 4, 4}), parameter({2, 2, 2, 2, 2})));
       }},
      {"transposed conv 2d", resolved,
       [] {
         return per(at::conv_transpose2d(features({B, 2, 4}), parameter({2, 3, 2, 2})));
       }},
      {"transposed grouped conv, a group for each example", resolved,
       [] {
         const Tensor x = features({B, 2, 4}).view({1, 2 * B, 4, 6});
         return per(at::conv_transpose2d(x, parameter({2 * B, 3, 2, 2}), {}, 1, 0, 0, B).view({B, 3, 5, 7}));
       }},
      {"conv over time-major", resolved,
       [] {
         return per(at::conv_tbc(features({5, B}), parameter({3, 6, 2}), parameter({2}), 1).pow(2), 1);
       }},
      {"unfold", resolved,
       [] {
         return per(at::im2col(plane(), {2, 2}, {1, 1}, {0, 0}, {1, 1}));
       }},
      {"fold", resolved,
       [] {
         return per(at::col2im(features({B, 8}), {3, 4}, {2, 2}, {1, 1}, {0, 0}, {1, 1}));
       }},
      {"local response norm", resolved, [] { return per(F::local_response_norm(plane(), F::LocalResponseNormFuncOptions(2))); }},
      {"channel dropout", resolved, [] { return per(at::feature_dropout(plane(), 0.3, true)); }},
  });
}

}  // namespace
}  // namespace ghostgrad::graph
