// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/model.h"

#include <fmt/format.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::models {

void require_side(const std::string& model, const ImageShape& image, int64_t smallest) {
  if (image.height >= smallest && image.width >= smallest) return;
  throw base::InvalidArgument(model, fmt::format("an image must be at least {0} x {0}", smallest),
                              fmt::format("{} x {}", image.height, image.width), "enlarge the images, or use mlp");
}

void require_tokens(const std::string& model, const at::Tensor& tokens, int64_t positions) {
  if (tokens.dim() == 2 && tokens.size(1) <= positions) return;
  throw base::InvalidArgument(model, fmt::format("tokens must have the shape [B, T] with T at most {}", positions),
                              fmt::format("{} axes, the last of {}", tokens.dim(), tokens.dim() == 0 ? 0 : tokens.size(-1)),
                              "split the sequences");
}

}  // namespace ghostgrad::models
