// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/make.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/models/beit.h"
#include "ghostgrad/models/cnn.h"
#include "ghostgrad/models/deep_cnn.h"
#include "ghostgrad/models/gpt.h"
#include "ghostgrad/models/lenet.h"
#include "ghostgrad/models/mlp.h"
#include "ghostgrad/models/recurrent.h"
#include "ghostgrad/models/resnet.h"
#include "ghostgrad/models/roberta.h"
#include "ghostgrad/models/transformer.h"
#include "ghostgrad/models/vgg.h"
#include "ghostgrad/models/vit.h"

namespace ghostgrad::models {
namespace {

using base::Task;
using ModelPtr = std::shared_ptr<Model>;

constexpr int64_t kPublishedSide = 224;  // of the images for which VGG's hidden layers were made

[[noreturn]] void refuse_shape(const std::string& wanted, const ModelOptions& options) {
  throw base::InvalidArgument("input_shape", "this model takes " + wanted, fmt::format("[{}]", fmt::join(options.input_shape, ", ")),
                              "choose a model that fits the data");
}

ImageShape image_shape(const ModelOptions& options) {
  const auto& shape = options.input_shape;
  if (shape.size() != 3) refuse_shape("images [channels, height, width]", options);
  return {shape[0], shape[1], shape[2]};
}

int64_t positions_of(const ModelOptions& options) {
  if (options.input_shape.size() != 1) refuse_shape("token sequences [T]", options);
  return options.input_shape[0];
}

/// How a row of the table makes its model: the sizes that are known, and what the data say.
using Make = std::function<ModelPtr(const ModelOptions& options)>;

Make numbers(const MlpOptions& known) {
  return [known](const ModelOptions& options) {
    auto sizes = known;
    const auto& shape = options.input_shape;
    sizes.inputs = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
    sizes.classes = options.classes;
    return std::make_shared<Mlp>(sizes);
  };
}

template <class Built, class Sizes>
Make image(const Sizes& known) {
  return [known](const ModelOptions& options) {
    auto sizes = known;
    sizes.image = image_shape(options);
    sizes.classes = options.classes;
    return std::make_shared<Built>(sizes);
  };
}

Make vgg(const std::vector<int64_t>& convolutions) {
  return [convolutions](const ModelOptions& options) {
    VggOptions sizes{.convolutions = convolutions};
    if (image_shape(options).height >= kPublishedSide) sizes.hidden = {4096, 4096};
    return image<Vgg>(sizes)(options);
  };
}

Make language(const GptOptions& known) {
  return [known](const ModelOptions& options) {
    auto sizes = known;
    sizes.positions = positions_of(options);
    sizes.vocabulary = options.classes;
    return std::make_shared<Gpt>(sizes);
  };
}

Make sentence(const RobertaOptions& known) {
  return [known](const ModelOptions& options) {
    auto sizes = known;
    sizes.positions = positions_of(options);
    sizes.vocabulary = options.vocabulary;
    sizes.classes = options.classes;
    if (sizes.vocabulary < 1)
      throw base::InvalidArgument("vocabulary", "must be at least 1", fmt::to_string(sizes.vocabulary),
                                  "pass the number of tokens there are");
    return std::make_shared<Roberta>(sizes);
  };
}

// What models are usually trained on. As functions: the table may be wanted before constants of this file are made.
ModelOptions mnist() { return {{1, 28, 28}, 10}; }
ModelOptions cifar() { return {{3, 32, 32}, 10}; }
ModelOptions image_net() { return {{3, 224, 224}, 1000}; }
ModelOptions byte_text() { return {{256}, 257}; }
ModelOptions web_text() { return {{1024}, 50257}; }
ModelOptions sentences() { return {{256}, 8, 257}; }
ModelOptions reviews() { return {{512}, 2, 50265}; }

std::vector<Architecture> shallow() {
  return {
      {"mlp", "hidden layers of 512 and 256, tanh", "[Papernot21]", Input::numbers, mnist(), 535'818, numbers({.hidden = {512, 256}})},
      {"mlp_128_256", "hidden layers of 128 and 256, sigmoid", "[Lee20, Sec. 6.1]", Input::numbers, mnist(), 136'074,
       numbers({.hidden = {128, 256}, .sigmoid = true})},
      {"cnn", "16 filters 8x8, 32 filters 4x4, linear 32, tanh", "[Tramer21]", Input::images, mnist(), 26'010, image<Cnn>(CnnOptions{}),
       Task::classification, 16},
      {"cnn_20_50", "20 and 50 filters 5x5, linear 128, ReLU", "[Lee20, Sec. 6.1]", Input::images, mnist(), 129'388,
       image<LeNet>(LeNetOptions{}), Task::classification, 16},
      {"deep_cnn", "six convolutions 3x3 of 32 to 128 filters, group norm, linear 128", "[Tramer21]", Input::images, cifar(), 551'018,
       image<DeepCnn>(DeepCnnOptions{}), Task::classification, 8},
      {"rnn", "RNN of 128 units on the rows of an image", "[Lee20, Sec. 6.1]", Input::images, mnist(), 21'514,
       image<Recurrent>(RecurrentOptions{.cell = Cell::rnn})},
      {"lstm", "LSTM of 128 units on the rows of an image", "[Lee20, Sec. 6.1]", Input::images, mnist(), 82'186,
       image<Recurrent>(RecurrentOptions{.cell = Cell::lstm})},
      {"gru", "GRU of 128 units on the rows of an image", "[Lee20, Sec. 6.1]", Input::images, mnist(), 61'962,
       image<Recurrent>(RecurrentOptions{.cell = Cell::gru})},
      {"transformer", "encoder of the rows of an image, width 64, 2 layers, 4 heads", "[Vaswani17]", Input::images, mnist(), 104'394,
       image<Transformer>(TransformerOptions{})},
      {"transformer_200", "encoder of the rows of an image, width 200, 1 layer, 8 heads", "[Lee20, Sec. 6.1]", Input::images, mnist(),
       496'410, image<Transformer>(TransformerOptions{.width = 200, .layers = 1, .heads = 8})},
  };
}

std::vector<Architecture> convolutional() {
  return {
      {"resnet18", "2, 2, 2, 2 blocks of 64 to 512 filters, group norm", "[He16, Table 1]", Input::images, cifar(), 11'173'962,
       image<ResNet>(ResNetOptions{.blocks = {2, 2, 2, 2}}), Task::classification, 8},
      {"resnet34", "3, 4, 6, 3 blocks of 64 to 512 filters, group norm", "[He16, Table 1]", Input::images, cifar(), 21'282'122,
       image<ResNet>(ResNetOptions{.blocks = {3, 4, 6, 3}}), Task::classification, 8},
      {"resnet50", "3, 4, 6, 3 bottleneck blocks of 64 to 512 filters, group norm", "[He16, Table 1]", Input::images, cifar(), 23'520'842,
       image<ResNet>(ResNetOptions{.blocks = {3, 4, 6, 3}, .bottleneck = true}), Task::classification, 8},
      {"vgg11", "1, 1, 2, 2, 2 convolutions of 64 to 512 filters, group norm", "[Simonyan15, Table 1]", Input::images, cifar(), 9'231'114,
       vgg({1, 1, 2, 2, 2}), Task::classification, 32},
      {"vgg13", "2, 2, 2, 2, 2 convolutions of 64 to 512 filters, group norm", "[Simonyan15, Table 1]", Input::images, cifar(), 9'416'010,
       vgg({2, 2, 2, 2, 2}), Task::classification, 32},
      {"vgg16", "2, 2, 3, 3, 3 convolutions of 64 to 512 filters, group norm", "[Simonyan15, Table 1]", Input::images, cifar(), 14'728'266,
       vgg({2, 2, 3, 3, 3}), Task::classification, 32},
      {"vgg19", "2, 2, 4, 4, 4 convolutions of 64 to 512 filters, group norm", "[Simonyan15, Table 1]", Input::images, cifar(), 20'040'522,
       vgg({2, 2, 4, 4, 4}), Task::classification, 32},
  };
}

std::vector<Architecture> patches() {
  return {
      {"vit_tiny", "vision transformer, width 192, 12 layers, 3 heads", "[Touvron21, Table 1]", Input::images, cifar(), 5'362'762,
       image<Vit>(VitOptions{}), Task::classification, 4},
      {"vit_base", "vision transformer, width 768, 12 layers, 12 heads", "[Dosovitskiy21, Table 1]", Input::images, image_net(), 86'567'656,
       image<Vit>(VitOptions{.width = 768, .heads = 12}), Task::classification, 4},
      {"beit_tiny", "relative positions, layer scale, width 192, 12 layers, 3 heads", "[Bao22]", Input::images, cifar(), 5'360'794,
       image<Beit>(BeitOptions{}), Task::classification, 4},
      {"beit_base", "relative positions, layer scale, width 768, 12 layers, 12 heads", "[Bao22]", Input::images, image_net(), 86'530'984,
       image<Beit>(BeitOptions{.width = 768, .heads = 12}), Task::classification, 4},
  };
}

std::vector<Architecture> text() {
  return {
      {"gpt", "language model, width 256, 4 layers, 4 heads, untied head", "[Radford19]", Input::tokens, byte_text(), 3'356'672,
       language({.width = 256, .layers = 4, .heads = 4}), Task::language_model},
      {"gpt2_tiny", "language model, width 128, 2 layers, 4 heads, tied head", "[Radford19]", Input::tokens, byte_text(), 462'464,
       language({.width = 128, .layers = 2, .heads = 4, .tied = true}), Task::language_model},
      {"gpt2_small", "language model, width 768, 12 layers, 12 heads, tied head", "[Radford19, Table 2]", Input::tokens, web_text(),
       124'439'808, language({.width = 768, .layers = 12, .heads = 12, .tied = true}), Task::language_model},
      {"gpt2_medium", "language model, width 1024, 24 layers, 16 heads, tied head", "[Radford19, Table 2]", Input::tokens, web_text(),
       354'823'168, language({.width = 1024, .layers = 24, .heads = 16, .tied = true}), Task::language_model},
      {"gpt2_large", "language model, width 1280, 36 layers, 20 heads, tied head", "[Radford19, Table 2]", Input::tokens, web_text(),
       774'030'080, language({.width = 1280, .layers = 36, .heads = 20, .tied = true}), Task::language_model},
      {"roberta_tiny", "encoder with a classifier, width 128, 2 layers, 2 heads", "[Liu19]", Input::tokens, sentences(), 480'008,
       sentence({.width = 128, .layers = 2, .heads = 2})},
      {"roberta_base", "encoder with a classifier, width 768, 12 layers, 12 heads", "[Liu19]", Input::tokens, reviews(), 124'644'866,
       sentence({.width = 768, .layers = 12, .heads = 12})},
  };
}

std::vector<Architecture> table() {
  std::vector<Architecture> rows;
  for (auto& part : {shallow(), convolutional(), patches(), text()}) rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

std::string known_names() {
  std::vector<std::string_view> names;
  for (const auto& row : architectures()) names.push_back(row.name);
  return fmt::format("choose one of {}", fmt::join(names, ", "));
}

}  // namespace

std::span<const Architecture> architectures() {
  static const std::vector<Architecture> rows = table();
  return rows;
}

const Architecture& find(const std::string& name) {
  const auto rows = architectures();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Architecture& candidate) { return candidate.name == name; });
  if (row == rows.end()) throw base::InvalidArgument("model", "unknown model", '"' + name + '"', known_names());
  return *row;
}

std::shared_ptr<Model> make(const std::string& name, const ModelOptions& options) {
  const auto& row = find(name);
  const auto positive = [](int64_t extent) { return extent > 0; };
  if (!std::all_of(options.input_shape.begin(), options.input_shape.end(), positive))
    refuse_shape("inputs with at least one element", options);
  if (options.classes < 1)
    throw base::InvalidArgument("classes", "must be at least 1", fmt::to_string(options.classes), "pass the data set's number of classes");
  return row.make(options);
}

}  // namespace ghostgrad::models
