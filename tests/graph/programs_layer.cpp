// SPDX-License-Identifier: Apache-2.0
// Random layers: products, convolutions, norms, pools, attention.
#include "tests/graph/programs.h"

namespace ghostgrad::graph {
namespace {

using at::Tensor;

Tensor add_broadcast(const Step& s) {
  std::vector<int64_t> sizes = s.x.sizes().vec();
  for (int64_t& size : sizes) size = s.draft.chance(0.5) ? 1 : size;
  return s.x + s.draft.parameter(sizes);
}

Tensor multiply_trailing(const Step& s) {
  const int64_t from = s.draft.pick(s.x.dim() + 1);
  return s.x * s.draft.parameter(from < s.x.dim() ? s.x.sizes().slice(from) : at::IntArrayRef{1});
}

Tensor outer(const Step& s) {
  if (s.x.dim() > 2 || s.x.numel() > 40) return {};
  return s.x.unsqueeze(1) * s.x.tanh().unsqueeze(0);
}

Tensor einsum(const Step& s) {
  if (s.x.dim() != 3) return {};
  static const char* const equations[] = {"abc,abd->acd", "abc,adc->abd", "abc,dbc->ad", "abc,abc->ab", "abc,dbc->adb"};
  return at::einsum(equations[s.draft.pick(5)], {s.x, s.x.tanh()});
}

Tensor layer_norm(const Step& s) {
  const auto sizes = s.x.sizes().slice(s.d);
  if (s.x[0].numel() < 2 && s.d > 0) return {};
  return at::layer_norm(s.x, sizes, s.draft.parameter(sizes), s.draft.parameter(sizes));
}

Tensor group_norm(const Step& s) {
  if (s.x.dim() < 2 || s.x[0].numel() < 3) return {};
  const int64_t channels = s.x.size(1);
  return at::group_norm(s.x, channels % 2 ? 1 : 2, s.draft.parameter({channels}), s.draft.parameter({channels}));
}

Tensor batch_norm(const Step& s, bool training) {
  if (s.x.dim() < 2 || s.x.dim() > 3 || s.x.numel() <= s.x.size(1)) return {};
  const int64_t channels = s.x.size(1);
  const Tensor mean = training ? Tensor() : at::zeros({channels}, at::kDouble);
  const Tensor variance = training ? Tensor() : at::full({channels}, 2., at::kDouble);
  return at::batch_norm(s.x, s.draft.parameter({channels}), s.draft.parameter({channels}), mean, variance, training, 0.1, 1e-5, false);
}

Tensor conv(const Step& s) {
  if (s.x.dim() != 3) return {};
  const int64_t channels = s.x.size(1), width = s.x.size(2) < 3 ? 1 : 3;
  switch (s.draft.pick(4)) {
    case 0:
      return at::conv1d(s.x, s.draft.parameter({4, channels, width}), s.draft.parameter({4}), 1, 1);
    case 1:
      return at::conv1d(s.x, s.draft.parameter({2 * channels, 1, 1}), s.draft.parameter({2 * channels}), 1, at::IntArrayRef{0}, 1,
                        channels);
    case 2:
      return at::conv_transpose1d(s.x, s.draft.parameter({channels, 3, 2}), s.draft.parameter({3}));
    default:
      return at::conv_transpose1d(s.x, s.draft.parameter({channels, 2, 2}), {}, 1, 0, 0, channels);
  }
}

Tensor pool(const Step& s) {
  const int64_t smallest = std::min(s.x.size(-1), s.x.size(s.x.dim() > 1 ? -2 : -1));
  if (s.x.dim() < 2 || s.x.dim() > 4 || s.x.size(-1) < 2) return {};
  switch (s.draft.pick(4)) {
    case 0:
      return s.x.dim() < 4 ? at::avg_pool1d(s.x, 2) : Tensor();
    case 1:
      return s.x.dim() < 4 ? at::max_pool1d(s.x, 2) : Tensor();
    case 2:
      return s.x.dim() > 2 && smallest > 1 ? at::max_pool2d(s.x, 2) : Tensor();
    default:
      return s.x.dim() > 2 && smallest > 1 ? at::adaptive_avg_pool2d(s.x, {2, 2}) : Tensor();
  }
}

Tensor attention(const Step& s) {
  if (s.x.dim() < 3) return {};
  return at::scaled_dot_product_attention(s.x, s.x.tanh(), s.x.sin(), {}, 0., s.draft.chance(0.3));
}

Tensor linear(const Step& s) { return at::linear(s.x, s.draft.parameter({4, s.x.size(-1)}), s.draft.parameter({4})); }

Tensor matrix_function(const Step& s) {
  if (s.x.dim() < 2 || s.x.size(-1) != s.x.size(-2)) return {};
  const Tensor regular = s.x.tanh() + 4 * at::eye(s.x.size(-1), at::kDouble);
  return s.draft.chance(0.5) ? at::linalg_inv(regular) : at::linalg_solve(regular, s.x.sin());
}

}  // namespace

const std::vector<ProgramOp>& layer_ops() {
  static const std::vector<ProgramOp> ops = {
      {"times_weight",
       [](const Step& s) {
         return s.x.matmul(s.draft.parameter({s.x.size(-1), s.draft.one_of({s.x.size(-1), 4})}));
       }},
      {"weight_times",
       [](const Step& s) {
         return s.x.dim() == 2 ? s.draft.parameter({s.draft.one_of({4, s.x.size(0)}), s.x.size(0)}).matmul(s.x) : Tensor();
       }},
      {"linear", linear},
      {"linear_again", linear},
      {"gram", [](const Step& s) { return s.x.dim() == 2 ? s.x.matmul(s.x.t()) : Tensor(); }},
      {"bmm", [](const Step& s) { return s.x.dim() >= 3 ? s.x.matmul(s.x.transpose(-1, -2)) : Tensor(); }},
      {"bmm_softmax", [](const Step& s) { return s.x.dim() >= 3 ? s.x.transpose(-1, -2).softmax(-1).matmul(s.x) : Tensor(); }},
      {"addbmm",
       [](const Step& s) { return s.x.dim() == 3 ? at::addbmm(s.draft.parameter({s.x.size(2)}), s.x.transpose(1, 2), s.x) : Tensor(); }},
      {"mv", [](const Step& s) { return s.x.dim() == 2 ? s.x.mv(s.draft.parameter({s.x.size(1)})) : Tensor(); }},
      {"addr", [](const Step& s) { return s.x.dim() == 2 ? at::addr(s.x, s.x.select(1, 0), s.x.select(0, 0)) : Tensor(); }},
      {"cdist", [](const Step& s) { return s.x.dim() > 1 ? at::cdist(s.x, s.x.cos()) : Tensor(); }},
      {"matrix_function", matrix_function},
      {"einsum", einsum},
      {"add_broadcast", add_broadcast},
      {"multiply_trailing", multiply_trailing},
      {"outer", outer},
      {"layer_norm", layer_norm},
      {"rms_norm", [](const Step& s) { return at::rms_norm(s.x, s.x.size(-1), s.draft.parameter({s.x.size(-1)})); }},
      {"group_norm", group_norm},
      {"batch_norm_training", [](const Step& s) { return batch_norm(s, true); }},
      {"batch_norm_evaluated", [](const Step& s) { return batch_norm(s, false); }},
      {"conv", conv},
      {"conv_rows_as_channels",
       [](const Step& s) {
         return s.x.dim() == 2 ? at::conv1d(s.x, s.draft.parameter({4, s.x.size(0), 1})) : Tensor();
       }},
      {"pool", pool},
      {"upsample", [](const Step& s) { return s.x.dim() == 3 ? at::upsample_nearest1d(s.x, at::IntArrayRef{2 * s.x.size(2)}) : Tensor(); }},
      {"im2col",
       [](const Step& s) {
         return s.x.dim() == 4 && std::min(s.x.size(2), s.x.size(3)) > 1 ? at::im2col(s.x, {2, 2}, {1, 1}, {0, 0}, {1, 1}) : Tensor();
       }},
      {"attention", attention},
  };
  return ops;
}

}  // namespace ghostgrad::graph
