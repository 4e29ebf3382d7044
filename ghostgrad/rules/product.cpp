// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/product.h"

#include <optional>

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/mm.h>

namespace ghostgrad::rules {
namespace {

/// The op of compiled models: X W^T. libtorch gives it no function of its own.
using LinearOp = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view,
                            c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

/// Nothing where libtorch was built without oneDNN, or knows the op by another signature.
std::optional<c10::TypedOperatorHandle<LinearOp>> find_linear() {
  const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  if (!found || !found->hasKernelForDispatchKey(c10::DispatchKey::CPU)) return std::nullopt;
  try {
    return found->typed<LinearOp>();
  } catch (const c10::Error&) {
    return std::nullopt;
  }
}

/// Preparing a call costs oneDNN some microseconds.
constexpr int64_t kFewest = 1 << 16;  // multiply-adds

bool is_for_onednn(const at::Tensor& a, const at::Tensor& b) {
  const auto suits = [](const at::Tensor& m) { return m.device().is_cpu() && m.scalar_type() == at::kFloat && m.layout() == at::kStrided; };
  return suits(a) && suits(b) && a.numel() * b.size(1) >= kFewest && at::globalContext().userEnabledMkldnn();
}

}  // namespace

at::Tensor plain_product(const at::Tensor& a, const at::Tensor& b) { return at::mm(a, b); }

at::Tensor onednn_product(const at::Tensor& a, const at::Tensor& b) {
  static const auto linear = find_linear();
  if (!linear || !is_for_onednn(a, b)) return at::mm(a, b);
  return linear->call(a, b.t(), std::nullopt, "none", c10::List<std::optional<at::Scalar>>(), "");
}

}  // namespace ghostgrad::rules
