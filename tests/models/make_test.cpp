// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/models/make.h"

#include "cases.h"
#include <gmock/gmock.h>

#include "ghostgrad/models/transformer.h"

namespace ghostgrad::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int64_t kLarge = 6'000'000;  // parameters that take a moment to draw

TEST(Make, ListsWhatExistsForAnUnknownName) {
  EXPECT_THAT(refused([] { (void)make("resnet", {}); }),
              AllOf(HasSubstr("mlp, mlp_128_256, cnn"), HasSubstr("resnet18, resnet34"), HasSubstr("\"resnet\"")));
}

TEST(Make, RefusesShapesThatTheModelCannotTake) {
  for (const auto* name : {"cnn", "cnn_20_50", "deep_cnn", "resnet18", "vgg11"}) {
    EXPECT_THAT(refused([&] { (void)make(name, {{784}, 10}); }), HasSubstr("images [channels, height, width]")) << name;
    EXPECT_THAT(refused([&] { (void)make(name, {{1, 7, 28}, 10}); }), HasSubstr("7 x 28")) << name;
    EXPECT_THAT(refused([&] { (void)make(name, {{1, 0, 28}, 10}); }), HasSubstr("[1, 0, 28]")) << name;
    EXPECT_THAT(refused([&] { (void)make(name, {{1, 28, 28}, 0}); }), HasSubstr("[classes]")) << name;
  }
  for (const auto* name : {"transformer", "lstm", "vit_tiny", "beit_tiny"})
    EXPECT_THAT(refused([&] { (void)make(name, {{784}, 10}); }), HasSubstr("images [channels, height, width]")) << name;
  EXPECT_THAT(refused([] { (void)make("cnn", {{1, 15, 28}, 10}); }), HasSubstr("at least 16 x 16"));
  EXPECT_THAT(refused([] { (void)make("vgg16", {{3, 32, 31}, 10}); }), HasSubstr("at least 32 x 32"));
}

TEST(Make, RefusesPatchesThatDoNotDivideTheImage) {
  EXPECT_THAT(refused([] {
                Transformer({.image = {1, 28, 30}, .patch_height = 4, .patch_width = 4});
              }),
              HasSubstr("patch 4 x 4, image 28 x 30"));
  for (const auto* name : {"vit_tiny", "beit_tiny"})
    EXPECT_THAT(refused([&] { (void)make(name, {{3, 32, 30}, 10}); }), HasSubstr("patches of 4 x 4, an image of 32 x 30")) << name;
}

TEST(Make, RefusesHeadsThatDoNotDivideTheWidth) {
  EXPECT_THAT(refused([] { Transformer({.image = {}, .width = 10, .heads = 4}); }), HasSubstr("width 10, 4 heads"));
}

TEST(Make, RefusesTextWithoutWhatItNeeds) {
  for (const auto* name : {"gpt", "roberta_tiny"})
    EXPECT_THAT(refused([&] { (void)make(name, {{1, 28, 28}, 10, 5}); }), HasSubstr("token sequences")) << name;
  EXPECT_THAT(refused([] { (void)make("roberta_tiny", {{16}, 2}); }), HasSubstr("[vocabulary]"));
}

TEST(Architectures, HaveTheParametersThatTheyState) {
  for (const auto& row : architectures()) {
    if (row.parameters > kLarge) continue;
    EXPECT_EQ(count_parameters(*make(std::string(row.name), row.usual)), row.parameters) << row.name;
  }
}

TEST(Architectures, HaveTheParametersThatTheyStateAlsoWhereTheyAreLargeSlow) {
  for (const auto& row : architectures()) {
    if (row.parameters <= kLarge) continue;
    EXPECT_EQ(count_parameters(*make(std::string(row.name), row.usual)), row.parameters) << row.name;
  }
}

TEST(Architectures, SayWhatTheyAre) {
  for (const auto& row : architectures()) {
    EXPECT_FALSE(row.what.empty() || row.source.empty()) << row.name;
    EXPECT_EQ(row.usual.input_shape.size() == 1, row.input == Input::tokens) << row.name;
  }
}

TEST(Architectures, StateTheSmallestImageThatTheyTake) {
  for (const auto& row : architectures()) {
    if (row.input != Input::images || row.parameters > kLarge) continue;
    const std::string name(row.name);
    EXPECT_NO_THROW((void)make(name, {{1, row.smallest_side, row.smallest_side}, 10})) << name;
    EXPECT_THROW((void)make(name, {{1, 1024, row.smallest_side - 1}, 10}), base::InvalidArgument) << name;
  }
}

// Published counts, for ImageNet: torchvision's ResNets and VGGs (with batch norm, which has as many parameters as group norm), timm's
// vit_tiny_patch16_224, vit_base_patch16_224 and beit_base_patch16_224.
TEST(Architectures, HaveThePublishedParametersSlow) {
  const std::vector<std::pair<std::string, int64_t>> published = {
      {"resnet18", 11'689'512}, {"resnet34", 21'797'672}, {"resnet50", 25'557'032}, {"vgg11", 132'868'840},   {"vgg13", 133'053'736},
      {"vgg16", 138'365'992},   {"vgg19", 143'678'248},   {"vit_tiny", 5'717'416},  {"vit_base", 86'567'656}, {"beit_base", 86'530'984},
  };
  for (const auto& [name, parameters] : published) EXPECT_EQ(count_parameters(*make(name, {{3, 224, 224}, 1000})), parameters) << name;
}

// GPT-2: openai's checkpoints. RoBERTa: 124,647,170 with a head for two classes, of which two positions and a token type are never used.
TEST(Architectures, OfTextStateThePublishedParameters) {
  EXPECT_EQ(find("gpt2_small").parameters, 124'439'808);
  EXPECT_EQ(find("gpt2_medium").parameters, 354'823'168);
  EXPECT_EQ(find("gpt2_large").parameters, 774'030'080);
  EXPECT_EQ(find("roberta_base").parameters, 124'647'170 - 3 * 768);
}

}  // namespace
}  // namespace ghostgrad::models
