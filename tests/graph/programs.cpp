// SPDX-License-Identifier: Apache-2.0
#include "tests/graph/programs.h"

#include <algorithm>
#include <numeric>

namespace ghostgrad::graph {
namespace {

constexpr int64_t most_elements = 600;

const std::vector<ProgramOp>& all_ops() {
  static const std::vector<ProgramOp> all = [] {
    std::vector<ProgramOp> ops;
    for (const auto* family : {&shape_ops(), &part_ops(), &routing_ops(), &row_ops(), &layer_ops()})
      ops.insert(ops.end(), family->begin(), family->end());
    return ops;
  }();
  return all;
}

std::vector<int64_t> first_shape(Draft& draft, int64_t examples) {
  const bool square = draft.chance(0.5);
  std::vector<int64_t> shape{examples};
  for (int64_t more = draft.one_of({1, 2, 2, 3}); more > 0; --more)
    shape.push_back(square ? examples : draft.one_of({1, 2, 3, 4, examples}));
  if (draft.chance(0.3)) std::swap(shape[0], shape[draft.pick(static_cast<int64_t>(shape.size()))]);
  return shape;
}

/// Sums all dimensions but one.
at::Tensor sum_but(const at::Tensor& x, int64_t dim) {
  std::vector<int64_t> others;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (d != dim) others.push_back(d);
  }
  return others.empty() ? x * 1.1 : (x * 1.1).sum(others);
}

std::vector<int64_t> dims_where(const at::Tensor& x, const std::function<bool(int64_t)>& fits) {
  std::vector<int64_t> dims;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (fits(x.size(d))) dims.push_back(d);
  }
  return dims;
}

/// Losses [B]: along a dimension of size B, a multiple of it, or the flattened tensor.
at::Tensor losses_of(Draft& draft, const at::Tensor& x, int64_t examples) {
  const auto exact = dims_where(x, [&](int64_t size) { return size == examples; });
  const auto multiple = dims_where(x, [&](int64_t size) { return size % examples == 0; });
  const bool first = draft.chance(0.7), second = draft.chance(0.5);
  if (!exact.empty() && first) return sum_but(x, exact[draft.pick(static_cast<int64_t>(exact.size()))]);
  if (!multiple.empty() && second) {
    const at::Tensor y = x.movedim(multiple[draft.pick(static_cast<int64_t>(multiple.size()))], 0);
    return draft.chance(0.5) ? y.reshape({examples, -1}).sum(1)
                             : y.reshape({y.size(0) / examples, examples, -1}).sum(at::IntArrayRef{0, 2});
  }
  return x.numel() % examples == 0 ? x.reshape({examples, -1}).sum(1) : at::Tensor();
}

const ProgramOp& next_op(Draft& draft, const std::string& favourite) {
  const auto& ops = all_ops();
  const auto named = std::find_if(ops.begin(), ops.end(), [&](const ProgramOp& op) { return op.name == favourite; });
  return named != ops.end() && draft.chance(0.5) ? *named : ops[draft.pick(static_cast<int64_t>(ops.size()))];
}

/// Undefined where the dice asked for what an op does not take.
at::Tensor attempt(const std::function<at::Tensor()>& op) {
  try {
    return op();
  } catch (const c10::Error&) {
    return {};
  }
}

bool usable(const at::Tensor& x) {
  return x.defined() && x.dim() > 0 && x.numel() > 0 && x.numel() <= most_elements && x.scalar_type() == at::kDouble;
}

}  // namespace

Draft::Draft(uint64_t seed) : dice_(seed) {
  at::set_num_threads(1);  // tiny tensors
  at::manual_seed(seed);
}

at::Tensor Draft::parameter(at::IntArrayRef sizes) {
  parameters_.push_back(at::randn(sizes, at::TensorOptions(at::kDouble)).requires_grad_(true));
  return parameters_.back();
}

at::Tensor Draft::index(int64_t n, int64_t m) {
  if (chance(0.4) && m <= n) return at::randperm(n, at::kLong).slice(0, 0, m);
  if (chance(0.3)) return at::arange(m, at::kLong).remainder(n);
  return integers(n, {m});
}

std::vector<int64_t> Draft::factors(int64_t n) {
  std::vector<int64_t> factors;
  while (n > 1) {
    std::vector<int64_t> divisors;
    for (int64_t d = 2; d <= n; ++d) {
      if (n % d == 0) divisors.push_back(d);
    }
    factors.push_back(divisors[pick(static_cast<int64_t>(divisors.size()))]);
    n /= factors.back();
  }
  if (factors.empty() || chance(0.3)) factors.insert(factors.begin() + pick(static_cast<int64_t>(factors.size()) + 1), 1);
  return factors;
}

std::optional<Program> random_program(uint64_t seed, const std::string& favourite, int64_t longest) {
  Draft draft(seed);
  Program program;
  const int64_t examples = draft.one_of({2, 3, 4, 4});
  at::Tensor x = draft.parameter(first_shape(draft, examples)) * 1.3;
  for (int64_t left = 1 + draft.pick(longest); left > 0; --left) {
    const ProgramOp& op = next_op(draft, favourite);
    const at::Tensor y = attempt([&] { return op.apply({draft, x, draft.dim(x), draft.dim(x)}); });
    if (!usable(y)) continue;
    x = y;
    program.steps.push_back(op.name);
  }
  program.losses = attempt([&] { return losses_of(draft, x, examples); });
  if (!program.losses.defined() || !program.losses.requires_grad()) return std::nullopt;
  program.parameters = draft.parameters();
  return program;
}

}  // namespace ghostgrad::graph
