// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/patches.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::models {
namespace {

int64_t side_of_patch(const PatchOptions& options) {
  const auto& image = options.image;
  const int64_t side = options.patch > 0 ? options.patch : image.height < 64 || image.width < 64 ? 4 : 16;
  if (image.height % side == 0 && image.width % side == 0) return side;
  throw base::InvalidArgument("patch", "must divide the image's height and width",
                              fmt::format("patches of {0} x {0}, an image of {1} x {2}", side, image.height, image.width),
                              "pad or crop the images, or use a model without patches");
}

}  // namespace

Patches::Patches(const PatchOptions& options) {
  const int64_t side = side_of_patch(options);
  rows_ = options.image.height / side;
  columns_ = options.image.width / side;
  embed_ = register_module("embed", torch::nn::Conv2d(torch::nn::Conv2dOptions(options.image.channels, options.width, side).stride(side)));
  token_ = register_parameter("token", 0.02 * at::randn({1, 1, options.width}));
}

at::Tensor Patches::forward(const at::Tensor& images) {
  const auto patches = embed_->forward(images).flatten(2).transpose(1, 2);
  return at::cat({token_.expand({images.size(0), 1, -1}), patches}, 1);
}

}  // namespace ghostgrad::models
