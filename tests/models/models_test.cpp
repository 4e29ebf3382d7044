// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <gmock/gmock.h>

#include <torch/nn.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/models/cnn.h"
#include "ghostgrad/models/deep_cnn.h"
#include "ghostgrad/models/gpt.h"
#include "ghostgrad/models/make.h"
#include "ghostgrad/models/mlp.h"
#include "ghostgrad/models/transformer.h"

namespace ghostgrad::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Case {
  std::string name;
  std::function<std::shared_ptr<Model>()> make;
  at::Tensor inputs;  // [4, ...]
  std::vector<int64_t> output;
  int64_t parameters;  // counted by hand
};

at::Tensor images(int64_t channels, int64_t height, int64_t width) { return at::randn({4, channels, height, width}); }

using Make = std::function<std::shared_ptr<Model>()>;

Make named(const std::string& name, const ModelOptions& options = {}) {
  return [=] { return make(name, options); };
}

template <class Built, class Options>
Make built(const Options& options) {
  return [=] { return std::make_shared<Built>(options); };
}

// Parameters of a transformer layer: two norms, qkv, proj, up, down.
constexpr int64_t block(int64_t d) { return 2 * 2 * d + (d + 1) * 3 * d + (d + 1) * d + (d + 1) * 4 * d + (4 * d + 1) * d; }

std::vector<Case> image_cases() {
  constexpr int64_t kConvolutions = 9 * (3 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 128 + 128 * 128) + 2 * 2 * (32 + 64 + 128);
  return {
      {"mlp", named("mlp"), images(1, 28, 28), {4, 10}, 785 * 512 + 513 * 256 + 257 * 10},
      {"mlp of one layer", built<Mlp>(MlpOptions{6, {}, 3}), at::randn({4, 6}), {4, 3}, 7 * 3},
      {"cnn", named("cnn"), images(1, 28, 28), {4, 10}, 26010},
      {"cnn in colour", named("cnn", {{3, 32, 30}, 7}), images(3, 32, 30), {4, 7}, 193 * 16 + 257 * 32 + (32 * 5 * 4 + 1) * 32 + 33 * 7},
      {"smallest cnn", named("cnn", {{1, 16, 17}, 2}), images(1, 16, 17), {4, 2}, 65 * 16 + 257 * 32 + 33 * 32 + 33 * 2},
      {"deep_cnn", named("deep_cnn", {{3, 32, 32}, 10}), images(3, 32, 32), {4, 10}, kConvolutions + 2049 * 128 + 129 * 10},
      {"smallest deep_cnn", named("deep_cnn", {{3, 8, 9}, 2}), images(3, 8, 9), {4, 2}, kConvolutions + 129 * 128 + 129 * 2},
  };
}

std::vector<Case> attention_cases() {
  const auto tokens = at::randint(0, 11, {4, 6}, at::kLong);
  const auto patches = built<Transformer>(TransformerOptions{{3, 8, 12}, 2, 4, 6, 8, 1, 2});
  return {
      {"transformer", named("transformer"), images(1, 28, 28), {4, 10}, 29 * 64 + 28 * 64 + 2 * block(64) + 128 + 65 * 10},
      {"transformer on patches", patches, images(3, 8, 12), {4, 2}, 73 * 8 + 4 * 8 + block(8) + 16 + 9 * 2},
      {"gpt", built<Gpt>(GptOptions{11, 9, 8, 2, 2, false}), tokens, {4, 6, 11}, 11 * 8 + 9 * 8 + 2 * block(8) + 16 + 8 * 11},
      {"tied gpt", built<Gpt>(GptOptions{11, 6, 8, 2, 2, true}), tokens, {4, 6, 11}, 11 * 8 + 6 * 8 + 2 * block(8) + 16},
  };
}

std::vector<Case> cases() {
  torch::manual_seed(1);
  auto all = image_cases();
  for (auto& c : attention_cases()) all.push_back(c);
  return all;
}

int64_t count_parameters(const Model& model) {
  int64_t count = 0;
  for (const auto& parameter : model.parameters()) count += parameter.numel();
  return count;
}

TEST(Models, HaveTheParametersAndTheOutputThatTheirHeadersSay) {
  for (const auto& c : cases()) {
    const auto model = c.make();
    EXPECT_EQ(count_parameters(*model), c.parameters) << c.name;
    EXPECT_EQ(model->forward(c.inputs).sizes(), at::IntArrayRef(c.output)) << c.name;
  }
}

TEST(Models, PassAGradientToEveryParameter) {
  for (const auto& c : cases()) {
    const auto model = c.make();
    const auto logits = model->forward(c.inputs);
    (logits * at::randn_like(logits)).sum().backward();
    for (const auto& [name, parameter] : model->named_parameters().pairs()) {
      ASSERT_TRUE(parameter.grad().defined()) << c.name << " " << name;
      EXPECT_GT(parameter.grad().abs().max().item<double>(), 0.0) << c.name << " " << name;
    }
  }
}

TEST(Models, DoNotMixExamples) {
  const torch::NoGradGuard no_graph;
  for (const auto& c : cases()) {
    const auto model = c.make();
    const auto before = model->forward(c.inputs).clone();
    const auto changed = c.inputs.clone();
    changed[2].copy_(c.inputs[1]);
    const auto after = model->forward(changed);
    for (const int64_t row : {0, 1, 3}) EXPECT_TRUE(after[row].equal(before[row])) << c.name << " row " << row;
    EXPECT_FALSE(after[2].equal(before[2])) << c.name;
  }
}

TEST(Models, AreInitialisedByTorchsSeedAlone) {
  for (const auto& c : cases()) {
    const auto seeded = [&](uint64_t seed) {
      torch::manual_seed(seed);
      return torch::nn::utils::parameters_to_vector(c.make()->parameters());
    };
    EXPECT_TRUE(seeded(7).equal(seeded(7))) << c.name;
    EXPECT_FALSE(seeded(7).equal(seeded(8))) << c.name;
  }
}

TEST(Gpt, DoesNotSeeLaterTokens) {
  torch::manual_seed(2);
  const torch::NoGradGuard no_graph;
  Gpt gpt({.vocabulary = 11, .positions = 6, .width = 8, .layers = 2, .heads = 2});
  const auto tokens = at::randint(0, 10, {2, 6}, at::kLong);
  auto changed = tokens.clone();
  changed.slice(1, 4).fill_(10);
  const auto before = gpt.forward(tokens), after = gpt.forward(changed);
  EXPECT_TRUE(after.slice(1, 0, 4).allclose(before.slice(1, 0, 4), 0, 1e-6));
  EXPECT_GT((after.slice(1, 4) - before.slice(1, 4)).abs().amin({0, 2}).min().item<double>(), 0.0);
}

TEST(Gpt, RefusesSequencesLongerThanItsPositions) {
  Gpt gpt({.vocabulary = 11, .positions = 6, .width = 8, .layers = 1, .heads = 2});
  EXPECT_THROW(gpt.forward(at::zeros({2, 7}, at::kLong)), base::InvalidArgument);
  EXPECT_THROW(gpt.forward(at::zeros({6}, at::kLong)), base::InvalidArgument);
}

TEST(Transformer, EmbedsPatchesThatAreRectanglesOfTheImage) {
  torch::manual_seed(3);
  const torch::NoGradGuard no_graph;
  Transformer model({.image = {1, 4, 6}, .patch_height = 1, .patch_width = 3, .width = 8, .layers = 0, .heads = 2});
  for (auto& parameter : model.parameters()) parameter.normal_();
  const auto named = model.named_parameters();
  const auto image = at::randn({1, 1, 4, 6});
  auto tokens = at::zeros({8, 8});  // by hand: patch (i, j) is row i and columns 3j to 3j + 2
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t j = 0; j < 2; ++j) {
      const auto patch = image[0][0][i].slice(0, 3 * j, 3 * j + 3);
      tokens[2 * i + j] = named["embed.weight"].matmul(patch) + named["embed.bias"] + named["position"][2 * i + j];
    }
  }
  const auto normed = at::layer_norm(tokens, {8}, named["norm.weight"], named["norm.bias"]).mean(0);
  EXPECT_TRUE(model.forward(image)[0].allclose(named["head.weight"].matmul(normed) + named["head.bias"], 1e-5, 1e-5));
}

template <class Act>
std::string refused(Act act) {
  try {
    act();
  } catch (const base::InvalidArgument& error) {
    return error.what();
  }
  return "no error";
}

TEST(Make, ListsWhatExistsForAnUnknownName) {
  EXPECT_THAT(refused([] { (void)make("resnet", {}); }), AllOf(HasSubstr("mlp, cnn, deep_cnn, transformer, gpt"), HasSubstr("\"resnet\"")));
}

TEST(Make, RefusesShapesThatTheModelCannotTake) {
  for (const auto* name : {"cnn", "deep_cnn"}) {
    EXPECT_THAT(refused([&] { (void)make(name, {{784}, 10}); }), HasSubstr("images [channels, height, width]")) << name;
    EXPECT_THAT(refused([&] { (void)make(name, {{1, 7, 28}, 10}); }), HasSubstr("7 x 28")) << name;
    EXPECT_THAT(refused([&] { (void)make(name, {{1, 0, 28}, 10}); }), HasSubstr("[1, 0, 28]")) << name;
    EXPECT_THAT(refused([&] { (void)make(name, {{1, 28, 28}, 0}); }), HasSubstr("[classes]")) << name;
  }
  EXPECT_THAT(refused([] { (void)make("transformer", {{784}, 10}); }), HasSubstr("images [channels, height, width]"));
  EXPECT_THAT(refused([] {
                Transformer({.image = {1, 28, 30}, .patch_height = 4, .patch_width = 4});
              }),
              HasSubstr("patch 4 x 4, image 28 x 30"));
  EXPECT_THAT(refused([] { (void)make("gpt", {{1, 28, 28}, 10}); }), HasSubstr("token sequences"));
  EXPECT_THAT(refused([] { (void)make("cnn", {{1, 15, 28}, 10}); }), HasSubstr("at least 16 x 16"));
  EXPECT_THAT(refused([] { Transformer({.image = {}, .width = 10, .heads = 4}); }), HasSubstr("width 10, 4 heads"));
}

TEST(Make, BuildsEveryRowOfTheTable) {
  for (const auto& row : architectures()) {
    const ModelOptions options = row.name == "gpt" ? ModelOptions{{5}, 7} : ModelOptions{{1, 28, 28}, 3};
    EXPECT_NE(make(std::string(row.name), options), nullptr) << row.name;
    EXPECT_FALSE(row.description.empty() || row.defaults.empty()) << row.name;
  }
}

}  // namespace
}  // namespace ghostgrad::models
