// SPDX-License-Identifier: Apache-2.0
// Random ops along a dimension or element by element.
#include "tests/graph/programs.h"

namespace ghostgrad::graph {
namespace {

using at::Tensor;

Tensor reduce(const Step& s) {
  const bool keep = s.draft.chance(0.5);
  const int64_t kind = s.draft.pick(13);
  if (!keep && s.x.dim() < 2) return {};
  switch (kind) {
    case 0:
      return s.x.sum(s.d, keep);
    case 1:
      return s.x.mean(s.d, keep);
    case 2:
      return s.x.amax(s.d, keep);
    case 3:
      return s.x.logsumexp(s.d, keep);
    case 4:
      return s.n() > 1 ? s.x.var(s.d, true, keep) : Tensor();
    case 5:
      return s.n() > 1 ? s.x.std(s.d, true, keep) : Tensor();
    case 6:
      return at::linalg_vector_norm(s.x, 2, s.d, keep);
    case 7:
      return s.x.prod(s.d, keep);
    case 8:
      return std::get<0>(s.x.max(s.d, keep));
    case 9:
      return std::get<0>(s.x.min(s.d, keep));
    case 10:
      return std::get<0>(s.x.median(s.d, keep));
    case 11:
      return std::get<0>(s.x.kthvalue(1, s.d, keep));
    default: {
      const auto [low, high] = s.x.aminmax(s.d, keep);
      return low * high;
    }
  }
}

Tensor two_moments(const Step& s) {
  if (s.n() < 2) return {};
  const auto [variance, mean] = at::var_mean(s.x, s.d, true, true);
  return s.draft.chance(0.5) ? s.x * variance + mean : s.x + mean;
}

Tensor activation(const Step& s) {
  switch (s.draft.pick(16)) {
    case 0:
      return s.x.tanh();
    case 1:
      return s.x.sigmoid();
    case 2:
      return at::gelu(s.x);
    case 3:
      return at::silu(s.x);
    case 4:
      return s.x.exp();
    case 5:
      return s.x.abs();
    case 6:
      return at::softplus(s.x);
    case 7:
      return s.x.clamp(-0.5, 0.5);
    case 8:
      return s.x.pow(2);
    case 9:
      return s.x.clamp_min(0.);
    case 10:
      return s.x / 3;
    case 11:
      return at::relu(s.x);
    case 12:
      return at::elu(s.x);
    case 13:
      return at::lerp(s.x, s.x.cos(), 0.3);
    case 14:
      return at::addcmul(s.x, s.x.sin(), s.x);
    default:
      return at::maximum(s.x, s.x.cos());
  }
}

}  // namespace

const std::vector<ProgramOp>& row_ops() {
  static const std::vector<ProgramOp> ops = {
      {"softmax", [](const Step& s) { return s.x.softmax(s.d); }},
      {"log_softmax", [](const Step& s) { return s.x.log_softmax(s.d); }},
      {"cumsum", [](const Step& s) { return s.x.cumsum(s.d); }},
      {"cumprod", [](const Step& s) { return s.x.cumprod(s.d); }},
      {"cummax", [](const Step& s) { return std::get<0>(s.x.cummax(s.d)); }},
      {"sort", [](const Step& s) { return std::get<0>(s.x.sort(s.d)); }},
      {"topk", [](const Step& s) { return std::get<0>(s.x.topk(1 + s.draft.pick(s.n()), s.d)); }},
      {"center", [](const Step& s) { return s.x - s.x.mean(s.d, true); }},
      {"normalize", [](const Step& s) { return s.x / s.x.norm(2, s.d, true).clamp_min(1e-3); }},
      {"renorm", [](const Step& s) { return s.x.dim() > 1 ? s.x.renorm(2, s.d, 0.5) : Tensor(); }},
      {"reduce", reduce},
      {"reduce_two",
       [](const Step& s) {
         return s.x.dim() > 2 && s.d != s.e ? s.x.sum({s.d, s.e}, s.draft.chance(0.5)) : Tensor();
       }},
      {"two_moments", two_moments},
      {"glu", [](const Step& s) { return s.n() % 2 == 0 ? at::glu(s.x, s.d) : Tensor(); }},
      {"fft", [](const Step& s) { return at::real(at::fft_fft(s.x, std::nullopt, s.d)); }},
      {"rfft", [](const Step& s) { return s.n() > 1 ? at::view_as_real(at::fft_rfft(s.x, std::nullopt, s.d)).sum(-1) : Tensor(); }},
      {"activation", activation},
      {"activation_again", activation},
      {"tril", [](const Step& s) { return s.x.dim() >= 2 ? s.x.tril() : Tensor(); }},
      {"where", [](const Step& s) { return at::where(s.draft.mask(s.x.sizes(), 0.5), s.x, s.x.exp()); }},
      {"where_transposed",
       [](const Step& s) { return s.square() ? at::where(s.draft.mask(s.x.sizes(), 0.5), s.x, s.x.transpose(s.d, s.e)) : Tensor(); }},
      {"masked_fill", [](const Step& s) { return s.x.masked_fill(s.draft.mask(s.x.sizes(), 0.3), 0.); }},
      {"dropout", [](const Step& s) { return at::dropout(s.x, 0.3, true); }},
      {"native_dropout", [](const Step& s) { return std::get<0>(at::native_dropout(s.x, 0.3, true)); }},
      {"times_its_sum", [](const Step& s) { return s.x * s.x.sum(); }},
      {"times_detached_sum", [](const Step& s) { return s.x * s.x.sum(0, true).detach(); }},
      {"add_transposed", [](const Step& s) { return s.square() ? s.x + s.x.transpose(s.d, s.e) : Tensor(); }},
  };
  return ops;
}

}  // namespace ghostgrad::graph
