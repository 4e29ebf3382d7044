// SPDX-License-Identifier: Apache-2.0
// The property that privacy rests on: no example moves the sum before noise by more than C. And that neither the order of a batch nor how
// it is split into physical ones matters.
#include "measure.h"
#include "random_models.h"
#include <cmath>

#include <gtest/gtest.h>

namespace ghostgrad::tests {
namespace {

using at::Tensor;

constexpr int64_t kExamples = 5;

const std::vector<std::string>& methods_of_interest() {
  static const std::vector<std::string> names{"auto", "bk", "bk_mixed_opt", "per_example", "ghost", "reweight", "multi_loss", "naive"};
  return names;
}

Tensor random_mask() {
  Tensor mask = at::rand({kExamples}).lt(0.75);
  mask[0] = true;
  return mask;
}

double size_of(const std::vector<Tensor>& sums) {
  double squared = 0;
  for (const Tensor& sum : sums) squared += sum.square().sum().item<double>();
  return std::sqrt(squared);
}

/// Takes each example out of the batch in turn. C is small, about right, and large for this batch.
void expect_bounded(const Subject& subject, const std::string& method, const std::string& name, size_t turn) {
  const double middle = measure(subject, {.method = method}).norms.median().item<double>();
  const auto& functions = clip::clip_functions();  // the first one always, the others in turn
  for (const std::string& clip_function : {functions[0].name, functions[1 + turn % (functions.size() - 1)].name}) {
    for (double threshold : {0.1 * middle + 1e-6, middle + 1e-6, 10 * middle + 1e-6}) {
      How how{.method = method, .threshold = threshold, .clip_function = clip_function, .mask = random_mask()};
      const Measured all = measure(subject, how);
      for (int64_t i = 0; i < kExamples; ++i) {
        How without = how;
        without.mask = how.mask.clone();
        without.mask[i] = false;
        const double moved = distance(all.sums, measure(subject, without).sums);
        EXPECT_LE(moved, threshold * (1 + 1e-6)) << name << ' ' << method << ' ' << clip_function << " example " << i;
        if (!how.mask[i].item<bool>()) {
          EXPECT_LE(moved, threshold * 1e-12) << name;  // `auto` may have taken another route
        }
        if (how.mask[i].item<bool>() && all.norms[i].item<double>() > threshold && clip_function == "abadi") {
          EXPECT_GE(moved, threshold * (1 - 1e-6)) << name << ' ' << method << " example " << i;  // and the bound is met
        }
      }
    }
  }
}

void expect_bounded_for_random_models(uint64_t first, uint64_t last) {
  for (uint64_t seed = first; seed < last; ++seed) {
    const auto& methods = methods_of_interest();
    expect_bounded(random_model(seed, kExamples), methods[seed % methods.size()], "random model " + std::to_string(seed), seed);
  }
}

TEST(Sensitivity, OfRandomModelsIsAtMostC) { expect_bounded_for_random_models(0, 24); }
TEST(Sensitivity, OfManyRandomModelsIsAtMostCSlow) { expect_bounded_for_random_models(24, 500); }

TEST(Sensitivity, OfEverySubjectIsAtMostC) {
  size_t turn = 0;
  for (const SubjectFactory& factory : subjects()) {
    torch::manual_seed(31);
    expect_bounded(factory.make(kExamples, at::kDouble), "auto", factory.name, turn++);
  }
}

TEST(Sensitivity, IsMetForEveryLossShapeOfOneExample) {
  for (uint64_t seed = 500; seed < 510; ++seed) {
    const Subject one = random_model(seed, 1);
    const double norm = measure(one, {}).norms.item<double>();
    EXPECT_NEAR(size_of(measure(one, {.threshold = norm / 3}).sums), norm / 3, norm * 1e-9) << seed;
    EXPECT_NEAR(size_of(measure(one, {.threshold = norm * 3}).sums), norm, norm * 1e-9) << seed;
  }
}

TEST(Batch, InAnotherOrderHasTheSameNormsInThatOrderAndTheSameSum) {
  const std::vector<int64_t> order{3, 0, 4, 1, 2};
  for (uint64_t seed = 600; seed < 624; ++seed) {
    const Subject subject = random_model(seed, kExamples);
    const How how{.method = methods_of_interest()[seed % methods_of_interest().size()], .threshold = 1.0};
    const Measured straight = measure(subject, how), permuted = measure(with_batch(subject, select(subject.batch, order)), how);
    EXPECT_LT(relative_error({permuted.norms}, select({straight.norms}, order)), 1e-12) << seed;
    EXPECT_LT(relative_error(permuted.sums, straight.sums), 1e-12) << seed;
  }
}

/// The sum of physical batches that hold these places of the batch, and its error bound.
clip::ClippedSum sum_of(const Subject& subject, const std::vector<std::vector<int64_t>>& split,
                        const std::optional<noise::Lattice>& lattice) {
  clip::Clipper clipper(subject.parameters, {.threshold = 1.0, .method = "bk_mixed_opt"});
  auto sum = clipper.start(lattice);
  for (const auto& places : split) clipper.accumulate(subject.losses(select(subject.batch, places)), {}, sum);
  return sum;
}

const std::vector<std::vector<std::vector<int64_t>>>& splits() {
  static const std::vector<std::vector<std::vector<int64_t>>> all{
      {{0, 1, 2, 3, 4}}, {{0, 1}, {2, 3, 4}}, {{0}, {1}, {2}, {3}, {4}}, {{4, 2}, {1}, {3, 0}}};
  return all;
}

TEST(PhysicalBatches, AddUpToTheSameSumHoweverTheyAreSplit) {
  for (uint64_t seed = 700; seed < 716; ++seed) {
    const Subject subject = random_model(seed, kExamples);
    const auto whole = sum_of(subject, splits()[0], std::nullopt);
    for (const auto& split : splits())
      EXPECT_LT(relative_error(sum_of(subject, split, std::nullopt).totals(), whole.totals()), 1e-12) << seed;
  }
}

TEST(PhysicalBatches, OfALatticeSumComeInAnyOrderToTheSameBits) {
  for (uint64_t seed = 700; seed < 708; ++seed) {
    const Subject subject = random_model(seed, kExamples);
    const auto lattice = noise::make_lattice(1.0, 1.0, 1000);
    const auto forward = sum_of(subject, {{0, 1}, {2}, {3, 4}}, lattice), backward = sum_of(subject, {{3, 4}, {2}, {0, 1}}, lattice);
    auto merged = sum_of(subject, {{3, 4}}, lattice);
    merged.merge(sum_of(subject, {{0, 1}, {2}}, lattice));
    for (size_t p = 0; p < forward.totals().size(); ++p) {
      EXPECT_TRUE(at::equal(forward.totals()[p], backward.totals()[p])) << seed;
      EXPECT_TRUE(at::equal(forward.totals()[p], merged.totals()[p])) << seed;
      EXPECT_EQ(forward.totals()[p].scalar_type(), at::kLong);
    }
  }
}

TEST(PhysicalBatches, StayWithinTheStatedErrorOfTheExactSum) {
  for (uint64_t seed = 700; seed < 716; ++seed) {
    const Subject subject = random_model(seed, kExamples);
    const auto exact = sum_of(subject, splits()[2], std::nullopt);
    const auto lattice = noise::make_lattice(1.0, 1.0, 1000);
    for (const auto& split : splits()) {
      const auto rounded = sum_of(subject, split, lattice);
      std::vector<Tensor> values;
      for (const Tensor& total : rounded.totals()) values.push_back(noise::from_lattice(total, lattice));
      const double bound = rounded.error_bound(static_cast<double>(rounded.examples()), rounded.positions());
      EXPECT_LE(distance(values, exact.totals()), bound) << seed;
      EXPECT_LT(bound, 1e-4) << seed;
    }
  }
}

}  // namespace
}  // namespace ghostgrad::tests
