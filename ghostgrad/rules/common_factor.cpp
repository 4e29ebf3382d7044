// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/common_factor.h"

#include <algorithm>

#include <ATen/ops/bmm.h>

#include "ghostgrad/rules/term.h"

namespace ghostgrad::rules {

at::Tensor gram_of(const at::Tensor& factor) {
  constexpr int64_t part = 1 << 15;  // the library adds very many products up one by one
  const at::Tensor folded = factor.reshape({factor.size(0) * factor.size(1), factor.size(2), factor.size(3)});
  const auto columns = [&](int64_t first) { return folded.narrow(2, first, std::min(part, folded.size(2) - first)); };
  const auto gram = [](const at::Tensor& some) { return at::bmm(some, some.transpose(1, 2)); };
  at::Tensor sum = gram(columns(0));
  for (int64_t first = part; first < folded.size(2); first += part) sum += gram(columns(first));
  return sum;
}

CommonFactor::CommonFactor(at::Tensor values, Product by) : values_(at_least_float(values)), product_(by) {}

at::Tensor CommonFactor::gram(int64_t terms) {
  if (!gram_.defined()) {
    gram_ = gram_of(values_);
    taken_ = 0;
  }
  const at::Tensor gram = gram_;
  if (++taken_ >= terms) gram_.reset();
  return gram;
}

}  // namespace ghostgrad::rules
