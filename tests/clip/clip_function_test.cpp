// SPDX-License-Identifier: Apache-2.0
// Clip functions by their formulas, and what all of them promise.
#include "ghostgrad/clip/clip_function.h"

#include <cmath>
#include <map>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::clip {
namespace {

using Formula = double (*)(double norm, double threshold, double constant);

const std::map<std::string, Formula>& formulas() {
  static const std::map<std::string, Formula> all{
      {"abadi", [](double norm, double c, double) { return std::min(1.0, c / norm); }},
      {"automatic", [](double norm, double c, double gamma) { return c / (norm + gamma); }},
      {"auto_v", [](double norm, double c, double) { return c / norm; }},
      {"normalize", [](double norm, double c, double r) { return c / (norm + r); }},
      {"psac", [](double norm, double c, double r) { return c / (norm + r / (norm + r)); }},
      {"global", [](double norm, double c, double z) { return norm <= z ? c / z : 0; }},
  };
  return all;
}

at::Tensor norms() { return at::tensor({1e-6, 0.003, 0.1, 0.99, 1.0, 1.01, 9.99, 10.0, 10.01, 1e6}, at::kDouble); }

TEST(ClipFunctions, AreWhatTheirFormulasSay) {
  ASSERT_EQ(clip_functions().size(), formulas().size());
  for (const ClipFunction& function : clip_functions()) {
    for (double threshold : {0.1, 1.0, 3.0}) {
      for (double constant : {0.01, 0.5, 10.0}) {
        const at::Tensor got = function.coefficients(norms(), {threshold, constant});
        for (int64_t i = 0; i < norms().numel(); ++i) {
          const double expected = formulas().at(function.name)(norms()[i].item<double>(), threshold, constant);
          EXPECT_NEAR(got[i].item<double>(), expected, 1e-14 * expected) << function.name << ' ' << norms()[i].item<double>();
        }
      }
    }
  }
}

TEST(ClipFunctions, NeverLiftAGradientAboveC) {
  const at::Tensor all = at::logspace(-40, 20, 2000, 10.0, at::kDouble);
  for (const ClipFunction& function : clip_functions()) {
    for (double threshold : {1e-6, 1.0, 1e6}) {
      const at::Tensor lengths = function.coefficients(all, {threshold, std::max(function.usual, 1e-3)}).mul(all);
      EXPECT_LE(lengths.max().item<double>(), threshold * (1 + 1e-15)) << function.name;
      EXPECT_GE(lengths.min().item<double>(), 0) << function.name;
    }
  }
}

TEST(ClipFunctions, LeaveAZeroGradientZero) {
  for (const ClipFunction& function : clip_functions()) {
    const double coefficient = function.coefficients(at::zeros({1}, at::kDouble), {1.0, function.usual}).item<double>();
    EXPECT_EQ(coefficient * 0.0, 0.0) << function.name;
  }
}

TEST(ClipFunctions, GiveCoefficientsThatFloat32CanCarry) {
  for (const ClipFunction& function : clip_functions()) {
    const at::Tensor norms = at::tensor({0.0, 1e-30, 1.0, 1e29, 1e31, 1e45, 1e300}, at::kDouble);
    const at::Tensor got = coefficients_of(function, norms, {1.0, function.usual});
    for (int64_t i : {0, 4, 5, 6}) EXPECT_EQ(got[i].item<double>(), 0) << function.name << ' ' << norms[i].item<double>();
    EXPECT_TRUE(at::equal(got.slice(0, 1, 4), function.coefficients(norms, {1.0, function.usual}).slice(0, 1, 4))) << function.name;
  }
}

TEST(ClipFunctions, TakeAConstantOnlyWhereTheyHaveOne) {
  EXPECT_EQ(constant_of(find_clip_function("automatic"), {}), 0.01);
  EXPECT_EQ(constant_of(find_clip_function("global"), 3.0), 3.0);
  EXPECT_THROW((void)constant_of(find_clip_function("abadi"), 1.0), base::InvalidArgument);
  for (double wrong : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THROW((void)constant_of(find_clip_function("psac"), wrong), base::InvalidArgument);
  }
}

TEST(ClipFunctions, RefuseAnUnknownNameAndListTheKnown) {
  try {
    (void)find_clip_function("clip");
    FAIL();
  } catch (const base::InvalidArgument& error) {
    for (const ClipFunction& function : clip_functions()) EXPECT_NE(std::string(error.what()).find(function.name), std::string::npos);
  }
}

}  // namespace
}  // namespace ghostgrad::clip
