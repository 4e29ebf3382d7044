// SPDX-License-Identifier: Apache-2.0
// Norms in low precision: formed in float32 at least, never below the true norm by more than rounding, never no number.
#include "measure.h"
#include <cmath>
#include <memory>

#include <ATen/Context.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/clip/clipper.h"
#include "ghostgrad/rules/rounding.h"

namespace ghostgrad::tests {
namespace {

using at::Tensor;

constexpr int64_t kExamples = 4, kPositions = 16, kIn = 12, kOut = 10;

const std::vector<std::string>& methods() {
  static const std::vector<std::string> names{"auto", "bk", "per_example", "bk_mixed_opt", "ghost", "reweight"};
  return names;
}

/// A linear layer whose output gradients are exactly batch[1]: losses = sum (x w^T) * v.
Subject layer_of(const Tensor& inputs, const Tensor& grads) {
  const Tensor weight = at::randn({kOut, kIn}, inputs.options()).requires_grad_();
  return {{weight}, {inputs, grads}, [weight](const Batch& b) { return (at::linear(b[0], weight) * b[1]).sum({1, 2}); }};
}

/// Of the very same numbers, in float64: G_i = v_i^T x_i.
Tensor gradients(const Subject& subject) {
  return subject.batch[1].to(at::kDouble).transpose(1, 2).matmul(subject.batch[0].to(at::kDouble));
}

TEST(Precision, NormsOfBFloat16AreAsGoodAsFloat32) {
  torch::manual_seed(41);
  const auto options = at::TensorOptions(at::kBFloat16);
  const Subject subject = layer_of(at::randn({kExamples, kPositions, kIn}, options), at::randn({kExamples, kPositions, kOut}, options));
  const Tensor exact = gradients(subject).flatten(1).norm(2, 1);
  for (const std::string& method : methods())
    EXPECT_LT(relative_error({measure(subject, {.method = method}).norms}, {exact}), 2e-6) << method;
}

TEST(Precision, SumsOfBFloat16AreAsGoodAsFloat32) {
  torch::manual_seed(42);
  const auto options = at::TensorOptions(at::kBFloat16);
  const Subject subject = layer_of(at::randn({kExamples, kPositions, kIn}, options), at::randn({kExamples, kPositions, kOut}, options));
  const Tensor each = gradients(subject), norms = each.flatten(1).norm(2, 1);
  const Tensor exact = (each * norms.reciprocal().clamp_max(1).view({-1, 1, 1})).sum(0);
  for (const std::string& method : methods()) {
    EXPECT_LT(relative_error(measure(subject, {.method = method}).sums, {exact}), 1e-5) << method;
  }
}

/// Two positions whose gradients cancel but for a part `left` of them.
Subject cancelling(double size, double left) {
  const Tensor x = at::randn({kExamples, 1, kIn}, at::kFloat), v = at::randn({kExamples, 1, kOut}, at::kFloat) * size;
  return layer_of(at::cat({x, x}, 1), at::cat({v, v * (left - 1)}, 1));
}

TEST(Precision, NormsOfCancellingPositionsAreNumbers) {
  for (int seed = 0; seed < 20; ++seed) {
    torch::manual_seed(50 + seed);
    const Subject subject = cancelling(1.0, 0.0);
    for (const std::string& method : methods()) {
      const Measured got = measure(subject, {.method = method});
      EXPECT_TRUE(got.norms.ge(0).all().item<bool>()) << method;
      EXPECT_TRUE(got.sums[0].isfinite().all().item<bool>()) << method;
      EXPECT_LT(got.sums[0].norm().item<double>(), 1e-3) << method;
    }
  }
}

TEST(Precision, CancellingPositionsDoNotLiftAnExampleAboveTheThreshold) {
  for (double size : {1.0, 1e2, 1e4, 1e6}) {
    for (double left : {1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6}) {
      torch::manual_seed(60);
      const Subject subject = cancelling(size, left);
      for (const std::string& method : methods()) {
        for (int64_t i = 0; i < kExamples; ++i) {
          const Subject one = with_batch(subject, select(subject.batch, {i}));
          EXPECT_LE(measure(one, {.method = method}).sums[0].norm().item<double>(), 1 + 2 * rules::kAllowance + 1e-5)
              << method << " size " << size << " left " << left;
        }
      }
    }
  }
}

/// What float32 products were allowed to be rounded to whenever an op of this name ran.
std::vector<at::Float32Precision>& seen() {
  static std::vector<at::Float32Precision> all;
  return all;
}

std::unique_ptr<at::ObserverContext> look(const at::RecordFunction& op) {
  if (std::string(op.name()) == "aten::bmm") {
    seen().push_back(at::globalContext().float32Precision(at::Float32Backend::CUDA, at::Float32Op::MATMUL));
  }
  return nullptr;
}

TEST(Precision, OfProductsIsFullInNormsAndSumsWhateverTheModelMayDo) {
  torch::manual_seed(80);
  const Subject subject = layer_of(at::randn({kExamples, kPositions, kIn}), at::randn({kExamples, kPositions, kOut}));
  at::globalContext().setFloat32MatmulPrecision("high");
  for (const char* method : {"bk", "per_example"}) {
    seen().clear();
    const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(look));
    (void)measure(subject, {.method = method});  // linear() is addmm: each bmm is a Gram or a gradient of ours
    at::removeCallback(handle);
    EXPECT_FALSE(seen().empty()) << method;
    for (const auto precision : seen()) EXPECT_EQ(precision, at::Float32Precision::IEEE) << method;
  }
  EXPECT_EQ(at::globalContext().float32Precision(at::Float32Backend::CUDA, at::Float32Op::MATMUL), at::Float32Precision::TF32);
  at::globalContext().setFloat32MatmulPrecision("highest");
}

TEST(Precision, ThresholdsOfAnySizeHold) {
  torch::manual_seed(70);
  const Subject subject = layer_of(at::randn({kExamples, 2, kIn}, at::kFloat) * 1e-12, at::randn({kExamples, 2, kOut}, at::kFloat) * 1e-12);
  for (double threshold : {1e-30, 1e20}) EXPECT_THROW(clip::Clipper(subject.parameters, {.threshold = threshold}), base::InvalidArgument);
  for (double threshold : {1e-12, 1e-3, 1e12}) {
    for (const std::string& method : methods()) {
      EXPECT_LE(measure(with_batch(subject, select(subject.batch, {0})), {.method = method, .threshold = threshold})
                    .sums[0]
                    .norm()
                    .item<double>(),
                threshold * (1 + 1e-5))
          << method << ' ' << threshold;
    }
  }
}

}  // namespace
}  // namespace ghostgrad::tests
