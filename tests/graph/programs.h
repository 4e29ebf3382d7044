// SPDX-License-Identifier: Apache-2.0
// Random programs over tensors that end in one loss per example. Half of them have every dimension equal to B, so that no size tells the
// example axis from another; most mix examples somewhere, and the propagation must say where.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <ATen/ATen.h>

namespace ghostgrad::graph {

/// A program while it is being written: its dice, its parameters.
class Draft {
 public:
  explicit Draft(uint64_t seed);

  int64_t pick(int64_t n) { return static_cast<int64_t>(dice_() % static_cast<uint64_t>(n)); }
  int64_t one_of(std::initializer_list<int64_t> choices) { return choices.begin()[pick(static_cast<int64_t>(choices.size()))]; }
  bool chance(double p) { return static_cast<double>(dice_() >> 11) * 0x1p-53 < p; }
  int64_t dim(const at::Tensor& x) { return pick(x.dim()); }

  at::Tensor parameter(at::IntArrayRef sizes);
  at::Tensor constant(at::IntArrayRef sizes) const { return at::randn(sizes, at::kDouble); }
  at::Tensor mask(at::IntArrayRef sizes, double p) const { return at::rand(sizes, at::kDouble).lt(p); }
  at::Tensor integers(int64_t below, at::IntArrayRef sizes) const { return at::randint(below, sizes, at::kLong); }
  /// m indices below n: a permutation, a repeated range or anything.
  at::Tensor index(int64_t n, int64_t m);
  /// Random factors whose product is n.
  std::vector<int64_t> factors(int64_t n);

  [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return parameters_; }

 private:
  std::mt19937_64 dice_;
  std::vector<at::Tensor> parameters_;
};

/// What one op of a program may look at: the tensor so far and two of its dimensions.
struct Step {
  Draft& draft;
  const at::Tensor& x;
  int64_t d;
  int64_t e;
  [[nodiscard]] int64_t n() const { return x.size(d); }
  [[nodiscard]] bool square() const { return x.size(d) == x.size(e); }
};

/// Returns an undefined tensor where it does not apply.
struct ProgramOp {
  std::string name;
  std::function<at::Tensor(const Step&)> apply;
};

// One family of ops per file.
const std::vector<ProgramOp>& shape_ops();
const std::vector<ProgramOp>& part_ops();
const std::vector<ProgramOp>& routing_ops();
const std::vector<ProgramOp>& row_ops();
const std::vector<ProgramOp>& layer_ops();

struct Program {
  at::Tensor losses;
  std::vector<at::Tensor> parameters;
  std::vector<std::string> steps;
};

/// Nothing if the dice led nowhere (no loss, or one that depends on no parameter). Every other op is the favourite, if one is named.
[[nodiscard]] std::optional<Program> random_program(uint64_t seed, const std::string& favourite = "", int64_t longest = 6);

}  // namespace ghostgrad::graph
