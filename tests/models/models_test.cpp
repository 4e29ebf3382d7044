// SPDX-License-Identifier: Apache-2.0
// What all models have in common, and what some have of their own.
#include "cases.h"

#include <gtest/gtest.h>

#include "ghostgrad/models/beit.h"
#include "ghostgrad/models/gpt.h"
#include "ghostgrad/models/resnet.h"
#include "ghostgrad/models/roberta.h"
#include "ghostgrad/models/transformer.h"

namespace ghostgrad::models {
namespace {

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

TEST(Roberta, DoesNotSeeWhatFillsUp) {
  torch::manual_seed(4);
  const torch::NoGradGuard no_graph;
  Roberta roberta({.vocabulary = 11, .positions = 8, .classes = 3, .width = 8, .layers = 2, .heads = 2});
  const auto tokens = at::randint(1, 11, {3, 5}, at::kLong);
  const auto filled = at::cat({tokens, at::zeros({3, 3}, at::kLong)}, 1);
  EXPECT_TRUE(roberta.forward(filled).allclose(roberta.forward(tokens), 1e-5, 1e-6));
  EXPECT_TRUE(roberta.forward(at::zeros({2, 8}, at::kLong)).isfinite().all().item<bool>());
}

TEST(Roberta, SeesAllTokensInBothDirections) {
  torch::manual_seed(4);
  const torch::NoGradGuard no_graph;
  Roberta roberta({.vocabulary = 11, .positions = 5, .classes = 3, .width = 8, .layers = 1, .heads = 2});
  const auto tokens = at::randint(1, 10, {1, 5}, at::kLong);
  for (int64_t t = 0; t < 5; ++t) {
    auto changed = tokens.clone();
    changed[0][t] = 10;
    EXPECT_FALSE(roberta.forward(changed).equal(roberta.forward(tokens))) << t;
  }
}

TEST(Beit, HasOnePlaceForEachDistance) {
  const auto places = places_of_pairs(2, 3);
  ASSERT_EQ(places.sizes(), at::IntArrayRef({7, 7}));
  const auto place = [&](int64_t s, int64_t t) { return places[s][t].item<int64_t>(); };
  EXPECT_EQ(place(1, 2), place(5, 6));  // one to the left
  EXPECT_EQ(place(1, 4), place(3, 6));  // one down
  EXPECT_NE(place(1, 2), place(2, 1));
  EXPECT_EQ(std::get<0>(at::_unique(places)).numel(), 3 * 5 + 3);
  EXPECT_EQ(places.max().item<int64_t>(), 3 * 5 + 3 - 1);
  EXPECT_EQ(place(0, 0), 17);
  for (int64_t t = 1; t < 7; ++t) EXPECT_TRUE(place(0, t) == 15 && place(t, 0) == 16);
}

// With maps of weight zero a block adds what its last norm's bias says, to every feature of the shortcut.
TEST(ResNet, AddsTheShortcut) {
  torch::manual_seed(5);
  const torch::NoGradGuard no_graph;
  ResidualBlock block({.from = 4, .filters = 4, .stride = 1, .bottleneck = false, .groups = 2});
  for (auto& parameter : block.named_parameters()) parameter.value().fill_(parameter.key() == "residual.norm1.bias" ? -0.25 : 0.0);
  const auto h = at::randn({2, 4, 5, 5});
  EXPECT_TRUE(block.forward(h).allclose((h - 0.25).relu(), 0, 1e-6));
}

}  // namespace
}  // namespace ghostgrad::models
