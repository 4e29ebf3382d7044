// SPDX-License-Identifier: Apache-2.0
// Groups of parameters: what belongs together, and that each group is clipped exactly, by every method and clip function.
#include "ghostgrad/clip/groups.h"

#include "measure.h"
#include "random_models.h"
#include "zoo.h"
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/models/make.h"

namespace ghostgrad::tests {
namespace {

using at::Tensor;
using clip::Groups;
using clip::make_groups;

const std::vector<std::string> kNames{"embed.weight", "blocks.0.norm.weight", "blocks.0.linear.weight", "blocks.1.norm.weight", "head"};

TEST(Groups, FollowTheNamesOfModules) {
  EXPECT_EQ(make_groups("flat", kNames, 1).of_parameter, (std::vector<int>{0, 0, 0, 0, 0}));
  EXPECT_EQ(make_groups("per_layer", kNames, 1).of_parameter, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(make_groups("per_layer", {"a.weight", "a.bias", "b.weight"}, 1).of_parameter, (std::vector<int>{0, 0, 1}));
  EXPECT_EQ(make_groups("per_block", kNames, 1).names, (std::vector<std::string>{"embed", "blocks.0", "blocks.1", "head"}));
  EXPECT_EQ(make_groups("per_parameter", kNames, 1).count(), 5);
}

TEST(Groups, FindTheBlocksOfEveryWayToNameThem) {
  EXPECT_EQ(make_groups("per_block", {"block0.norm.weight", "block0.attention.query.weight", "block1.norm.weight", "fc1.weight"}, 1).names,
            (std::vector<std::string>{"block0", "block1", "fc1"}));
  EXPECT_EQ(make_groups("per_block", {"conv1.weight", "layer1.0.conv1.weight", "layer1.0.bn1.weight", "layer1.1.conv1.weight"}, 1).names,
            (std::vector<std::string>{"conv1", "layer1.0", "layer1.1"}));
  EXPECT_EQ(make_groups("per_block", {"0.weight", "0.bias", "2.weight"}, 1).names, (std::vector<std::string>{"0", "2"}));
}

TEST(Groups, FindTheBlocksOfTheZoo) {
  for (const auto& [name, blocks] : std::vector<std::pair<std::string, size_t>>{
           {"resnet18", 8}, {"vit_tiny", 12}, {"beit_tiny", 12}, {"gpt2_tiny", 2}, {"roberta_tiny", 2}}) {
    std::vector<std::string> names;
    size_t largest = 0;
    for (const auto& item : models::make(name, models::find(name).usual)->named_parameters()) names.push_back(item.key());
    const Groups groups = make_groups("per_block", names, 1);
    size_t several = 0;  // groups of more than the weight and bias of one module
    for (int g = 0; g < groups.count(); ++g) {
      const auto members = static_cast<size_t>(std::count(groups.of_parameter.begin(), groups.of_parameter.end(), g));
      several += members > 2 ? 1 : 0;
      largest = std::max(largest, members);
    }
    EXPECT_EQ(several, blocks) << name;
    EXPECT_LT(largest, names.size() / 2) << name;
  }
}

TEST(Groups, TakePrefixesWithThresholdsAndTheLongestThatFits) {
  const Groups groups = make_groups("blocks=3,blocks.1=4,=12", kNames);
  EXPECT_EQ(groups.of_parameter, (std::vector<int>{2, 0, 0, 1, 2}));
  EXPECT_DOUBLE_EQ(groups.sensitivity(), 13);
}

TEST(Groups, WithoutThresholdsAreTogetherC) {
  for (const char* spec : {"flat", "per_layer", "per_block", "per_parameter"}) {
    EXPECT_NEAR(make_groups(spec, kNames, 2.5).sensitivity(), 2.5, 1e-15) << spec;
    EXPECT_NEAR(make_groups(spec, kNames, 2.5).scaled_to(0.1).sensitivity(), 0.1, 1e-16) << spec;
  }
}

TEST(Groups, RefuseWhatIsNoGrouping) {
  for (const char* wrong : {"", "per_module", "blocks", "blocks=", "blocks=x,=1", "blocks=-1,=1", "blocks=0,=1", "blocks=1", "other=1,=1",
                            "block=1,=1", "blocks=1,blocks=2,=1", "=nan", "=inf"}) {
    EXPECT_THROW((void)make_groups(wrong, kNames), base::InvalidArgument) << wrong;
  }
}

TEST(Groups, TakeOneThresholdOrTheirOwn) {
  EXPECT_EQ(clip::threshold_of("per_layer", 2.5), 2.5);
  EXPECT_EQ(clip::threshold_of("per_layer", std::nullopt), 1.0);
  EXPECT_EQ(clip::threshold_of("=3", std::nullopt), std::nullopt);
  EXPECT_THROW((void)clip::threshold_of("=3", 3), base::InvalidArgument);
  EXPECT_THROW((void)make_groups("=3", kNames, 3), base::InvalidArgument);
}

Groups flat(size_t parameters) { return clip::one_group(parameters, 0.7); }

Groups by_two(size_t parameters) {
  Groups groups{{"even", "odd"}, {0.8, 0.3}, {}};
  for (size_t p = 0; p < parameters; ++p) groups.of_parameter.push_back(static_cast<int>(p % 2));
  if (parameters == 1) groups = clip::one_group(1, 0.8);
  return groups;
}

Groups each(size_t parameters) {
  Groups groups;
  for (size_t p = 0; p < parameters; ++p) {
    groups.names.push_back(std::to_string(p));
    groups.thresholds.push_back(0.1 + 0.05 * static_cast<double>(p));
    groups.of_parameter.push_back(static_cast<int>(p));
  }
  return groups;
}

/// The clipped sums of the one-example-at-a-time loop, in float64.
std::vector<Tensor> expected_sums(const Subject& subject, const Groups& groups, const std::string& clip_function) {
  const auto& function = clip::find_clip_function(clip_function);
  std::vector<Tensor> sums;
  for (const Tensor& p : subject.parameters) sums.push_back(at::zeros_like(p, at::kDouble).detach());
  for (const auto& grads : one_at_a_time(subject)) {
    std::vector<double> squared(groups.count(), 0);
    for (size_t p = 0; p < grads.size(); ++p) squared[groups.of_parameter[p]] += grads[p].to(at::kDouble).square().sum().item<double>();
    for (size_t p = 0; p < grads.size(); ++p) {
      const int group = groups.of_parameter[p];
      const Tensor norm = at::full({1}, std::sqrt(squared[group]), at::kDouble);
      sums[p] += grads[p].to(at::kDouble) * function.coefficients(norm, {groups.thresholds[group], function.usual}).item<double>();
    }
  }
  return sums;
}

class EveryGrouping : public testing::TestWithParam<SubjectFactory> {};

/// With every clip function, or with one that the method's place chooses.
void expect_exact(const SubjectFactory& factory, at::ScalarType dtype, bool every_function) {
  torch::manual_seed(91);
  const Subject subject = factory.make(4, dtype);
  const auto& functions = clip::clip_functions();
  const auto methods = clipping_methods();
  for (const Groups& groups : {flat(subject.parameters.size()), by_two(subject.parameters.size()), each(subject.parameters.size())}) {
    for (size_t f = 0; f < functions.size(); ++f) {
      const auto expected = expected_sums(subject, groups, functions[f].name);
      for (size_t m = 0; m < methods.size(); ++m) {
        if (!every_function && m % functions.size() != f) continue;
        const Measured got = measure(subject, {.method = methods[m], .clip_function = functions[f].name, .groups = groups});
        EXPECT_LT(relative_error(got.sums, expected, groups.sensitivity()), dtype == at::kDouble ? 1e-10 : 1e-5)
            << methods[m] << ' ' << functions[f].name << ' ' << groups.count();
      }
    }
  }
}

TEST_P(EveryGrouping, GivesTheClippedSumOfTheLoopInFloat64) { expect_exact(GetParam(), at::kDouble, false); }
TEST_P(EveryGrouping, GivesTheClippedSumOfTheLoopInFloat64WithEveryFunctionSlow) { expect_exact(GetParam(), at::kDouble, true); }
TEST_P(EveryGrouping, GivesTheClippedSumOfTheLoopInFloat32WithEveryFunctionSlow) { expect_exact(GetParam(), at::kFloat, true); }

INSTANTIATE_TEST_SUITE_P(Subjects, EveryGrouping, testing::ValuesIn(subjects()), [](const auto& subject) { return subject.param.name; });
INSTANTIATE_TEST_SUITE_P(ZooSlow, EveryGrouping, testing::ValuesIn(zoo_subjects()), [](const auto& subject) { return subject.param.name; });

TEST(GroupSensitivity, OfRandomModelsIsTheRootOfTheSquares) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const Subject subject = random_model(seed, 4);
    const Groups groups = each(subject.parameters.size());
    How how{.method = seed % 2 ? "bk_mixed_opt" : "auto", .clip_function = seed % 3 ? "abadi" : "auto_v", .groups = groups};
    const Measured all = measure(subject, how);
    for (int64_t i = 0; i < 4; ++i) {
      how.mask = at::ones({4}, at::kBool);
      how.mask[i] = false;
      const Measured without = measure(subject, how);
      EXPECT_LE(distance(all.sums, without.sums), groups.sensitivity() * (1 + 1e-6)) << seed;
      for (size_t p = 0; p < all.sums.size(); ++p) {
        EXPECT_LE(distance({all.sums[p]}, {without.sums[p]}), groups.thresholds[p] * (1 + 1e-6)) << seed << " parameter " << p;
      }
    }
  }
}

/// Losses that average over K views of each example (De et al. 2022), or sum over the records of each user: [B, K, ..] -> [B].
TEST(Views, OfAnExampleAreClippedTogether) {
  torch::manual_seed(5);
  torch::nn::Linear first(6, 8), second(8, 3);
  first->to(at::kDouble);
  second->to(at::kDouble);
  const Batch batch{at::randn({4, 5, 6}, at::kDouble), at::randint(3, {4}, at::kLong)};
  for (bool user : {false, true}) {
    const Subject subject{{first->weight, first->bias, second->weight, second->bias}, batch, [=](const Batch& b) mutable {
                            const Tensor logits = second->forward(first->forward(b[0].flatten(0, 1)).relu());
                            const Tensor targets = b[1].repeat_interleave(b[0].size(1));
                            const Tensor each = at::cross_entropy_loss(logits, targets, {}, at::Reduction::None).view({-1, b[0].size(1)});
                            return user ? each.sum(1) : each.mean(1);
                          }};
    const Reference expected = reference(subject, 0.5);
    for (const std::string& method : clipping_methods()) {
      const Measured got = measure(subject, {.method = method, .threshold = 0.5});
      EXPECT_LT(relative_error({got.norms}, {expected.norms}), 1e-12) << method;
      EXPECT_LT(relative_error(got.sums, expected.sums), 1e-12) << method;
    }
  }
}

}  // namespace
}  // namespace ghostgrad::tests
