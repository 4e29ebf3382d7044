// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/common_factor.h"

#include <ATen/ops/bmm.h>

#include "ghostgrad/rules/term.h"

namespace ghostgrad::rules {

at::Tensor gram_of(const at::Tensor& factor) {
  const at::Tensor folded = factor.reshape({factor.size(0) * factor.size(1), factor.size(2), factor.size(3)});
  return at::bmm(folded, folded.transpose(1, 2));
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
