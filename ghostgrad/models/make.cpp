// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/make.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/models/cnn.h"
#include "ghostgrad/models/deep_cnn.h"
#include "ghostgrad/models/gpt.h"
#include "ghostgrad/models/mlp.h"
#include "ghostgrad/models/transformer.h"

namespace ghostgrad::models {
namespace {

[[noreturn]] void refuse_shape(const std::string& wanted, const ModelOptions& options) {
  throw base::InvalidArgument("input_shape", "this model takes " + wanted, fmt::format("[{}]", fmt::join(options.input_shape, ", ")),
                              "choose a model that fits the data");
}

ImageShape image_shape(const ModelOptions& options) {
  const auto& shape = options.input_shape;
  if (shape.size() != 3) refuse_shape("images [channels, height, width]", options);
  return {shape[0], shape[1], shape[2]};
}

std::shared_ptr<Model> make_mlp(const ModelOptions& options) {
  const auto& shape = options.input_shape;
  return std::make_shared<Mlp>(
      MlpOptions{.inputs = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>()), .classes = options.classes});
}

std::shared_ptr<Model> make_cnn(const ModelOptions& options) {
  return std::make_shared<Cnn>(CnnOptions{.image = image_shape(options), .classes = options.classes});
}

std::shared_ptr<Model> make_deep_cnn(const ModelOptions& options) {
  return std::make_shared<DeepCnn>(DeepCnnOptions{.image = image_shape(options), .classes = options.classes});
}

std::shared_ptr<Model> make_transformer(const ModelOptions& options) {
  return std::make_shared<Transformer>(TransformerOptions{.image = image_shape(options), .classes = options.classes});
}

std::shared_ptr<Model> make_gpt(const ModelOptions& options) {
  if (options.input_shape.size() != 1) refuse_shape("token sequences [T]", options);
  return std::make_shared<Gpt>(GptOptions{.vocabulary = options.classes, .positions = options.input_shape[0]});
}

const std::array<Architecture, 5> kArchitectures{{
    {"mlp", "multi-layer perceptron on flattened inputs", "hidden layers of 512 and 256, tanh", make_mlp},
    {"cnn", "small convolutional network for images of 16 x 16 or more", "16 filters 8x8, 32 filters 4x4, linear 32, tanh", make_cnn},
    {"deep_cnn", "six 3x3 convolutions with group norm, for colour images", "32, 32, 64, 64, 128, 128 filters, linear 128, ReLU",
     make_deep_cnn},
    {"transformer", "transformer encoder on the rows of an image", "width 64, 2 layers, 4 heads", make_transformer},
    {"gpt", "causal transformer language model on token sequences", "width 256, 4 layers, 4 heads, untied head", make_gpt},
}};

std::string known_names() {
  std::vector<std::string_view> names;
  for (const auto& row : kArchitectures) names.push_back(row.name);
  return fmt::format("choose one of {}", fmt::join(names, ", "));
}

}  // namespace

std::span<const Architecture> architectures() { return kArchitectures; }

std::shared_ptr<Model> make(const std::string& name, const ModelOptions& options) {
  const auto row =
      std::find_if(kArchitectures.begin(), kArchitectures.end(), [&](const Architecture& candidate) { return candidate.name == name; });
  if (row == kArchitectures.end()) throw base::InvalidArgument("model", "unknown model", '"' + name + '"', known_names());
  const auto positive = [](int64_t extent) { return extent > 0; };
  if (!std::all_of(options.input_shape.begin(), options.input_shape.end(), positive))
    refuse_shape("inputs with at least one element", options);
  if (options.classes < 1)
    throw base::InvalidArgument("classes", "must be at least 1", fmt::to_string(options.classes), "pass the data set's number of classes");
  return row->make(options);
}

}  // namespace ghostgrad::models
