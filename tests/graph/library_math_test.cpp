// SPDX-License-Identifier: Apache-2.0
// Activations, reductions, scans, complex numbers, matrix functions.
#include "tests/graph/cases.h"

#include <torch/nn/functional.h>

namespace ghostgrad::graph {
namespace {

using at::Tensor;
using enum Expect;
namespace F = torch::nn::functional;

Case elementwise(const std::string& name, Tensor (*f)(const Tensor&)) {
  return {name, resolved, [f] { return per(f(features({B}))); }};
}

TEST(LibraryMath, Activations) {
  judge({
      elementwise("relu", [](const Tensor& h) { return at::relu(h); }),
      elementwise("relu6", [](const Tensor& h) { return at::relu6(h); }),
      elementwise("hardswish", [](const Tensor& h) { return at::hardswish(h); }),
      elementwise("hardsigmoid", [](const Tensor& h) { return at::hardsigmoid(h); }),
      elementwise("hardtanh", [](const Tensor& h) { return at::hardtanh(h); }),
      elementwise("leaky relu", [](const Tensor& h) { return at::leaky_relu(h); }),
      elementwise("elu", [](const Tensor& h) { return at::elu(h); }),
      elementwise("selu", [](const Tensor& h) { return at::selu(h); }),
      elementwise("celu", [](const Tensor& h) { return at::celu(h); }),
      elementwise("mish", [](const Tensor& h) { return at::mish(h); }),
      elementwise("log sigmoid", [](const Tensor& h) { return at::log_sigmoid(h); }),
      elementwise("softsign", [](const Tensor& h) { return h / (h.abs() + 1); }),
      elementwise("softshrink", [](const Tensor& h) { return at::softshrink(h, 0.1); }),
      elementwise("hardshrink", [](const Tensor& h) { return at::hardshrink(h, 0.1); }),
      elementwise("rrelu", [](const Tensor& h) { return at::rrelu(h, 0.1, 0.3, true); }),
      elementwise("prelu", [](const Tensor& h) { return at::prelu(h, parameter({6})); }),
      elementwise("alpha dropout", [](const Tensor& h) { return at::alpha_dropout(h, 0.3, true); }),
      elementwise("nan_to_num", [](const Tensor& h) { return h.nan_to_num(); }),
      elementwise("lerp", [](const Tensor& h) { return at::lerp(h, h.sin(), 0.3); }),
      elementwise("addcmul", [](const Tensor& h) { return at::addcmul(h, h, h); }),
      elementwise("addcdiv", [](const Tensor& h) { return at::addcdiv(h, h, h + 3); }),
      elementwise("xlogy", [](const Tensor& h) { return at::xlogy(h, h.abs() + 1); }),
      elementwise("relu_ in place", [](const Tensor& h) { return (h * 2).relu_(); }),
      elementwise("gumbel softmax", [](const Tensor& h) { return F::gumbel_softmax(h); }),
  });
}

TEST(LibraryMath, ReductionsAndScans) {
  judge({
      {"logcumsumexp", resolved,
       [] {
         return per(features({B, 3}).logcumsumexp(1));
       }},
      {"cummax", resolved,
       [] {
         return per(std::get<0>(features({B, 3}).cummax(1)));
       }},
      {"cummin over examples", mixed,
       [] {
         return per(std::get<0>(features({B, 3}).cummin(0)));
       }},
      {"norm p = 1", resolved, [] { return features({B}).norm(1, 1); }},
      {"std_mean", resolved,
       [] {
         const auto [s, m] = at::std_mean(features({B}), 1);
         return s + m;
       }},
      {"var_mean, keepdim", resolved,
       [] {
         const auto [v, m] = at::var_mean(features({B, 3}), at::IntArrayRef{2}, true, true);
         return per(v + m);
       }},
      {"kthvalue", resolved, [] { return std::get<0>(features({B}).kthvalue(2, 1)); }},
      {"mode", resolved, [] { return std::get<0>(features({B}).mode(1)); }},
      {"nansum", resolved, [] { return features({B}).nansum(1); }},
      {"mean over everything", mixed,
       [] {
         const Tensor h = features({B});
         return h.sum(1) - h.mean();
       }},
      {"take_along_dim", resolved,
       [] {
         return per(at::take_along_dim(features({B}), integers(0, 6, {B, 2}), 1));
       }},
      {"scatter_reduce", resolved,
       [] {
         return per(at::zeros({B, 3}, at::kDouble).scatter_reduce(1, integers(0, 3, {B, 6}), features({B}), "amax"));
       }},
      {"normalize", resolved, [] { return per(F::normalize(features({B}))); }},
      {"rows renormed", resolved, [] { return per(features({B}).renorm(2, 0, 0.5)); }},
      {"safe softmax", resolved, [] { return per(at::_safe_softmax(features({B}), 1)); }},
      {"cross product", resolved,
       [] {
         return per(at::linalg_cross(features({B}).view({B, 2, 3}), features({B}).view({B, 2, 3})));
       }},
  });
}

TEST(LibraryMath, SmallestAndLargest) {
  const auto extremes = at::ones({1, 2}).requires_grad_().aminmax(1);
  if (std::get<0>(extremes).grad_fn()->name().find("Aminmax") == std::string::npos) GTEST_SKIP() << "no derivative in libtorch 2.11";
  judge({{"aminmax", resolved, [] {
            const auto [low, high] = features({B}).aminmax(1);
            return low + high;
          }}});
}

TEST(LibraryMath, Shapes) {
  judge({
      {"tile", resolved,
       [] {
         return per(features({B, 3}).tile({1, 2, 2}));
       }},
      {"unflatten", resolved,
       [] {
         return per(features({B}).unflatten(1, at::IntArrayRef{2, 3}));
       }},
      {"swapaxes", resolved,
       [] {
         return per(features({B, 3}).swapaxes(1, 2));
       }},
      {"all pairs of features", resolved,
       [] {
         const Tensor h = features({B});
         return per(h.unsqueeze(2) + h.unsqueeze(1));
       }},
      {"hstack", resolved,
       [] {
         const Tensor h = features({B});
         return per(at::hstack({h, h}));
       }},
  });
}

TEST(LibraryMath, Products) {
  judge({
      {"mv", resolved, [] { return features({B}).mv(parameter({6})); }},
      {"dot of each example", resolved,
       [] {
         const auto rows = features({B}).unbind();
         std::vector<Tensor> dots;
         for (const Tensor& row : rows) dots.push_back(row.dot(row.sin()));
         return at::stack(dots);
       }},
      {"addmv", resolved,
       [] {
         const Tensor h = features({B});
         return at::addmv(h.select(1, 0), h, parameter({6}));
       }},
      {"addr", resolved,
       [] {
         const Tensor h = features({B});
         return per(at::addr(h, h.select(1, 0), parameter({6})));
       }},
      {"baddbmm", resolved,
       [] {
         const Tensor h = features({B, 3});
         return per(at::baddbmm(h, h, parameter({6, 6}).expand({B, 6, 6})));
       }},
      {"outer of each example", resolved,
       [] {
         const Tensor h = features({B});
         return per(at::einsum("bi,bj->bij", {h, h}));
       }},
      {"tensordot", resolved,
       [] {
         return per(at::tensordot(features({B, 3}), parameter({6, 2}), {2}, {0}));
       }},
      {"bilinear", resolved,
       [] {
         return per(at::bilinear(features({B}), features({B}), parameter({2, 6, 6}), parameter({2})));
       }},
      {"cdist", resolved,
       [] {
         return per(at::cdist(features({B, 3}), features({B, 2})));
       }},
      {"masked_select put back", resolved,
       [] {
         return at::zeros({B}, at::kDouble)
             .index_add(0, at::arange(B).repeat_interleave(6), features({B}).masked_select(at::ones({B, 6}, at::kBool)));
       }},
  });
}

TEST(LibraryMath, ComplexNumbers) {
  const auto pairs = [] { return at::view_as_complex(features({B}).view({B, 3, 2})); };
  judge({
      {"fft", resolved,
       [] {
         return per(at::abs(at::fft_fft(at::fft_fft(features({B, 3})), std::nullopt, 1)));
       }},
      {"rfft and back", resolved,
       [] {
         return per(at::fft_irfft(at::fft_rfft(features({B, 3}))));
       }},
      {"pairs squared", resolved, [pairs] { return per(at::view_as_real(pairs().pow(2))); }},
      {"complex()", resolved, [] { return per(at::complex(features({B}), features({B})).abs()); }},
      {"polar()", resolved, [] { return per(at::real(at::polar(features({B}).abs() + 1, features({B})))); }},
      {"angle", resolved, [pairs] { return per(pairs().angle()); }},
  });
}

TEST(LibraryMath, MatrixFunctions) {
  const auto regular = [] { return features({B, 6}) + 3 * at::eye(6, at::kDouble); };
  const auto positive = [] {
    const Tensor a = features({B, 6});
    return a.matmul(a.mT()) + 3 * at::eye(6, at::kDouble);
  };
  judge({
      {"inverse", resolved, [=] { return per(at::linalg_inv(regular())); }},
      {"cholesky", resolved, [=] { return per(at::linalg_cholesky(positive())); }},
      {"solve", resolved,
       [=] {
         return per(at::linalg_solve(regular(), features({B, 6})));
       }},
      {"solve for a vector each", resolved, [=] { return per(at::linalg_solve(regular(), features({B}))); }},
      {"determinant", resolved, [=] { return at::linalg_det(regular()); }},
      {"log determinant", resolved, [=] { return std::get<1>(at::linalg_slogdet(regular())); }},
      {"singular values", resolved,
       [] {
         return per(at::linalg_svdvals(features({B, 6})));
       }},
      {"eigenvalues", resolved, [=] { return per(std::get<0>(at::linalg_eigh(positive()))); }},
      {"qr", resolved,
       [=] {
         const auto [q, r] = at::linalg_qr(regular());
         return per(q + r);
       }},
      {"one matrix for all examples", mixed,
       [] {
         const Tensor a = features({6});
         return per(at::linalg_inv(a + 3 * at::eye(6, at::kDouble))).slice(0, 0, B);
       }},
  });
}

}  // namespace
}  // namespace ghostgrad::graph
