// SPDX-License-Identifier: Apache-2.0
#include "cases.h"

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

using Make = std::function<std::shared_ptr<Model>()>;

at::Tensor images(int64_t channels, int64_t height, int64_t width) { return at::randn({4, channels, height, width}); }
at::Tensor tokens() { return at::randint(0, 11, {4, 6}, at::kLong); }

Make named(const std::string& name, const ModelOptions& options = {}) {
  return [=] { return make(name, options); };
}

template <class Built, class Options>
Make built(const Options& options) {
  return [=] { return std::make_shared<Built>(options); };
}

// Parameters of a transformer layer: two norms, qkv, proj, up, down.
constexpr int64_t block(int64_t d) { return 2 * 2 * d + (d + 1) * 3 * d + (d + 1) * d + (d + 1) * 4 * d + (4 * d + 1) * d; }

// A convolution without bias and its norm.
constexpr int64_t normed(int64_t from, int64_t to, int64_t kernel) { return kernel * kernel * from * to + 2 * to; }

std::vector<Case> shallow_cases() {
  constexpr int64_t kConvolutions = 9 * (3 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 128 + 128 * 128) + 2 * 2 * (32 + 64 + 128);
  return {
      {"mlp", named("mlp"), images(1, 28, 28), {4, 10}, 785 * 512 + 513 * 256 + 257 * 10},
      {"mlp_128_256", named("mlp_128_256"), images(1, 28, 28), {4, 10}, 785 * 128 + 129 * 256 + 257 * 10},
      {"mlp of one layer", built<Mlp>(MlpOptions{6, {}, 3}), at::randn({4, 6}), {4, 3}, 7 * 3},
      {"cnn", named("cnn"), images(1, 28, 28), {4, 10}, 26010},
      {"cnn in colour", named("cnn", {{3, 32, 30}, 7}), images(3, 32, 30), {4, 7}, 193 * 16 + 257 * 32 + (32 * 5 * 4 + 1) * 32 + 33 * 7},
      {"smallest cnn", named("cnn", {{1, 16, 17}, 2}), images(1, 16, 17), {4, 2}, 65 * 16 + 257 * 32 + 33 * 32 + 33 * 2},
      {"cnn_20_50", named("cnn_20_50"), images(1, 28, 28), {4, 10}, 26 * 20 + 501 * 50 + 801 * 128 + 129 * 10},
      {"smallest cnn_20_50", built<LeNet>(LeNetOptions{{2, 16, 17}, 3, 4, 5, 6}), images(2, 16, 17), {4, 3}, 204 + 505 + 36 + 21},
      {"deep_cnn", named("deep_cnn", {{3, 32, 32}, 10}), images(3, 32, 32), {4, 10}, kConvolutions + 2049 * 128 + 129 * 10},
      {"smallest deep_cnn", named("deep_cnn", {{3, 8, 9}, 2}), images(3, 8, 9), {4, 2}, kConvolutions + 129 * 128 + 129 * 2},
  };
}

// Per gate: 6 inputs and 4 units to 4 units, two biases.
std::vector<Case> recurrent_cases() {
  constexpr int64_t kGate = 6 * 4 + 4 * 4 + 2 * 4;
  const auto tiny = [](Cell cell, int64_t layers = 1) { return built<Recurrent>(RecurrentOptions{{2, 5, 3}, 3, cell, 4, layers}); };
  return {
      {"rnn", tiny(Cell::rnn), images(2, 5, 3), {4, 3}, kGate + 15},
      {"rnn of two layers", tiny(Cell::rnn, 2), images(2, 5, 3), {4, 3}, kGate + 40 + 15},
      {"lstm", tiny(Cell::lstm), images(2, 5, 3), {4, 3}, 4 * kGate + 15},
      {"gru", tiny(Cell::gru), images(2, 5, 3), {4, 3}, 3 * kGate + 15},
  };
}

std::vector<Case> convolutional_cases() {
  const auto residual = built<ResNet>(ResNetOptions{{3, 8, 8}, 3, {1, 1}, false, 4, 2});
  const auto bottleneck = built<ResNet>(ResNetOptions{{3, 64, 64}, 2, {1}, true, 2, 2});
  const int64_t blocks = 2 * normed(4, 4, 3) + normed(4, 8, 3) + normed(8, 8, 3) + normed(4, 8, 1);
  const int64_t bottlenecks = normed(2, 2, 1) + normed(2, 2, 3) + normed(2, 8, 1) + normed(2, 8, 1);
  const int64_t stages = normed(3, 4, 3) + 4 + normed(4, 8, 3) + 8 + normed(8, 8, 3) + 8;
  const auto vgg = built<Vgg>(VggOptions{{3, 8, 9}, 3, {1, 2}, {5}, 4});
  return {
      {"resnet", residual, images(3, 8, 8), {4, 3}, normed(3, 4, 3) + blocks + 9 * 3},
      {"resnet of bottlenecks", bottleneck, images(3, 64, 64), {4, 2}, normed(3, 2, 7) + bottlenecks + 9 * 2},
      {"vgg", vgg, images(3, 8, 9), {4, 3}, stages + 33 * 5 + 6 * 3},
  };
}

std::vector<Case> attention_cases() {
  const auto rows = built<Transformer>(TransformerOptions{{3, 8, 12}, 2, 4, 6, 8, 1, 2});
  const auto vit = built<Vit>(VitOptions{{3, 8, 12}, 3, 4, 8, 1, 2});
  const auto beit = built<Beit>(BeitOptions{{3, 8, 12}, 3, 4, 8, 2, 2});
  constexpr int64_t kPatches = 49 * 8 + 8;                                                          // and the class token
  constexpr int64_t kBeitBlock = 2 * 16 + 3 * 72 + 64 + 9 * 32 + 33 * 8 + (3 * 5 + 3) * 2 + 2 * 8;  // one of four maps has no bias
  return {
      {"transformer", named("transformer"), images(1, 28, 28), {4, 10}, 29 * 64 + 28 * 64 + 2 * block(64) + 128 + 65 * 10},
      {"transformer on patches", rows, images(3, 8, 12), {4, 2}, 73 * 8 + 4 * 8 + block(8) + 16 + 9 * 2},
      {"vit", vit, images(3, 8, 12), {4, 3}, kPatches + 7 * 8 + block(8) + 16 + 9 * 3},
      {"beit", beit, images(3, 8, 12), {4, 3}, kPatches + 2 * kBeitBlock + 16 + 9 * 3},
  };
}

std::vector<Case> text_cases() {
  const auto sentences = built<Roberta>(RobertaOptions{11, 6, 3, 8, 2, 2});
  return {
      {"gpt", built<Gpt>(GptOptions{11, 9, 8, 2, 2, false}), tokens(), {4, 6, 11}, 11 * 8 + 9 * 8 + 2 * block(8) + 16 + 8 * 11},
      {"tied gpt", built<Gpt>(GptOptions{11, 6, 8, 2, 2, true}), tokens(), {4, 6, 11}, 11 * 8 + 6 * 8 + 2 * block(8) + 16},
      {"roberta", sentences, tokens(), {4, 3}, 11 * 8 + 6 * 8 + 16 + 2 * block(8) + 72 + 27},
  };
}

}  // namespace

std::vector<Case> cases() {
  torch::manual_seed(1);
  std::vector<Case> all;
  for (auto& part : {shallow_cases(), recurrent_cases(), convolutional_cases(), attention_cases(), text_cases()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

int64_t count_parameters(const Model& model) {
  int64_t count = 0;
  for (const auto& parameter : model.parameters()) count += parameter.numel();
  return count;
}

}  // namespace ghostgrad::models
