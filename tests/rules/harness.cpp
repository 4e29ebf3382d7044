// SPDX-License-Identifier: Apache-2.0
#include "tests/rules/harness.h"

#include "tests/rules/uses.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include "ghostgrad/graph/capture.h"
#include "ghostgrad/graph/propagate.h"

namespace ghostgrad::rules::tests {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// How far a dtype may be from float64: `loop` for what went through its forward and backward passes, `formed` for what we make of it.
struct Tolerance {
  double loop, formed;
};

Tolerance tolerance_of(at::ScalarType dtype) {
  if (dtype == at::kDouble) return {1e-10, 1e-10};
  return dtype == at::kFloat ? Tolerance{1e-5, 1e-5} : Tolerance{0.1, 1e-5};
}

std::map<std::string, double>& errors_met() {
  static std::map<std::string, double> errors;
  return errors;
}

double length(const at::Tensor& tensor) { return tensor.norm().item<double>(); }

/// Collects faults, each with where it was found.
class Judge {
 public:
  Judge(std::string where, at::ScalarType dtype) : where_(std::move(where)), dtype_(dtype) {}

  void note(const std::string& what) { faults_.push_back(where_ + ": " + what); }
  void expect(bool holds, const std::string& what) {
    if (!holds) note(what);
  }
  /// |got - wanted| <= tolerance * |wanted|, where `scale` is the least that |wanted| counts for.
  void close(const at::Tensor& got, const at::Tensor& wanted, double tolerance, const std::string& what, double scale = 0) {
    const at::Tensor exact = got.to(at::kDouble);
    if (exact.sizes() != wanted.sizes()) return note(fmt::format("{} has another shape", what));
    const double size = std::max({length(wanted), scale, 1e-30}), error = length(exact - wanted) / size;
    if (!(error <= tolerance)) return note(fmt::format("{} is off by {:.2g} of its norm", what, error));
    double& largest = errors_met()[std::string(toString(dtype_)) + (tolerance > 1e-2 ? " (through the model)" : "")];
    largest = std::max(largest, error);
  }
  /// Squared norms [B], each by itself. Below float64 a Gram is raised by a bound on its own rounding: it may be too long, never too short.
  void close_norms(const at::Tensor& got, const at::Tensor& wanted, double tolerance, const std::string& what) {
    if (got.sizes() != wanted.sizes()) return note(what + " has another shape");
    const double raised = dtype_ == at::kDouble ? 0 : 1e-5;
    const at::Tensor excess = (got.to(at::kDouble) - wanted) / wanted.clamp_min(wanted.max().clamp_min(1e-30) * 1e-6);
    const double least = excess.min().item<double>(), most = excess.max().item<double>();
    if (!(least >= -tolerance && most <= tolerance + raised)) note(fmt::format("{} is off by {:.2g} to {:.2g} of it", what, least, most));
  }
  [[nodiscard]] std::vector<std::string> faults() && { return std::move(faults_); }

 private:
  std::string where_;
  at::ScalarType dtype_;
  std::vector<std::string> faults_;
};

/// One example after the other, forward and backward, in float64: [B, *shape] for each parameter.
Tensors naive_loop(const Case& tested, int64_t examples) {
  std::vector<Tensors> rows(tested.parameters.size());
  for (int64_t i = 0; i < examples; ++i) {
    const Batch batch = tested.knows_positions ? evaluate(tested, at::kDouble, {0, examples}) : evaluate(tested, at::kDouble, {i, 1});
    const auto grads = torch::autograd::grad({batch.losses[tested.knows_positions ? i : 0]}, batch.parameters, {}, false, false, true);
    for (size_t p = 0; p < rows.size(); ++p) {
      const at::Tensor grad = grads[p].defined() ? grads[p] : at::zeros_like(tested.parameters[p]);
      rows[p].push_back(grad.is_sparse() ? grad.to_dense() : grad);
    }
  }
  Tensors stacked;
  for (const auto& row : rows) stacked.push_back(at::stack(row));
  return stacked;
}

at::Tensor squares_of(const at::Tensor& grads) { return grads.reshape({grads.size(0), -1}).square().sum(1); }

at::Tensor weighted(const at::Tensor& grads, const at::Tensor& coefficients) {
  return at::tensordot(coefficients, grads.to(at::kDouble), {0}, {0});
}

/// Everything that is asked of one case at one dtype and batch size.
class Trial {
 public:
  Trial(const Case& tested, at::ScalarType dtype, int64_t examples, const Tamper& tamper)
      : tested_(tested),
        examples_(examples),
        dtype_(dtype),
        tolerance_(tolerance_of(dtype)),
        tamper_(tamper),
        judge_(fmt::format("{} {} B={}", tested.name, toString(dtype), examples), dtype) {}

  std::vector<std::string> run() {
    coefficients_ = at::rand({examples_}, at::kDouble) + 0.1;
    reference_ = naive_loop(tested_, examples_);
    for (const auto& grads : reference_) size_ = std::max(size_, length(grads));
    const Reading reading = read(evaluate(tested_, dtype_, {0, examples_}), at::ones({examples_}, dtype_), tamper_, trials_);
    check_graph(reading);
    check_each_term(reading);
    check_gradients(reading);
    check_sums(reading, reading.uses, coefficients_, "weighted sum");
    check_merged_norms(reading);
    check_masking();
    return std::move(judge_).faults();
  }

 private:
  void check_graph(const Reading& reading) {
    judge_.expect(!reading.uses.empty(), "no call was found");
    for (const auto& finding : reading.cut.findings) {
      judge_.expect(finding.verdict != graph::Finding::Verdict::refused, "refused: " + finding.op + " " + finding.wrong);
    }
    for (const Use& use : reading.uses) {
      const bool allowed =
          std::any_of(tested_.fallback.begin(), tested_.fallback.end(), [&](const auto& name) { return use.op.rfind(name, 0) == 0; });
      judge_.expect(use.by_rule || allowed, use.op + " ran through the fallback");
    }
  }

  /// The cheap forms of a term against its own gradients.
  void check_each_term(const Reading& reading) {
    for (const Use& use : reading.uses) {
      const at::Tensor grads = use.term->per_example();
      judge_.expect(grads.element_size() >= (dtype_ == at::kDouble ? 8 : 4), use.op + " is formed in low precision");
      const at::Tensor exact = grads.to(at::kDouble);
      judge_.close_norms(use.term->squared_norms(), squares_of(exact), tolerance_.formed, use.op + " squared norms");
      judge_.close(use.term->weighted_sum(coefficients_), weighted(exact, coefficients_), tolerance_.formed, use.op + " own weighted sum",
                   length(exact));
    }
  }

  void check_gradients(const Reading& reading) {
    Tensors sums;
    for (const auto& parameter : tested_.parameters) sums.push_back(at::zeros_like(at::stack(Tensors(examples_, parameter))));
    for (const Use& use : reading.uses) {
      for (const auto& [parameter, grads] : settle(reading, *use.zone, use.term->per_example())) sums[parameter] += grads.to(at::kDouble);
    }
    for (size_t p = 0; p < sums.size(); ++p) {
      judge_.close(sums[p], reference_[p], tolerance_.loop, fmt::format("gradients of parameter {}", p), 1e-3 * size_);
    }
  }

  void check_sums(const Reading& reading, const std::vector<Use>& uses, const at::Tensor& coefficients, const std::string& what) {
    Tensors sums;
    for (const auto& parameter : tested_.parameters) sums.push_back(at::zeros_like(parameter));
    for (const Use& use : uses) {
      const at::Tensor sum = use.term->weighted_sum(coefficients);
      for (const auto& [parameter, grads] : settle(reading, *use.zone, sum.unsqueeze(0)))
        sums[parameter] += grads.squeeze(0).to(at::kDouble);
    }
    for (size_t p = 0; p < sums.size(); ++p) {
      judge_.close(sums[p], weighted(reference_[p], coefficients), tolerance_.loop, fmt::format("{} of parameter {}", what, p),
                   1e-3 * size_);
    }
  }

  /// The norms of a parameter with several uses, by one term for all of them where there is one.
  void check_merged_norms(const Reading& reading) {
    for (size_t p = 0; p < tested_.parameters.size(); ++p) {
      const TermPtr merged = merge(reading, static_cast<int>(p));
      if (!merged) continue;
      judge_.close_norms(merged->squared_norms(), squares_of(reference_[p]), 2 * tolerance_.loop,
                         fmt::format("squared norm of parameter {}", p));
    }
  }

  /// One example is spoilt by NaN and then declared not valid: nothing of it may be left, and nothing of the others lost.
  void check_masking() {
    const int64_t spoilt = examples_ / 2;
    Case poisoned = tested_;
    bool through_inputs = false;
    for (auto& input : poisoned.inputs) {
      if (!input.is_floating_point()) continue;
      input = input.clone();
      input[spoilt].fill_(kNaN);
      through_inputs = true;
    }
    at::Tensor root = at::ones({examples_}, dtype_);
    if (!through_inputs) root[spoilt] = kNaN;
    at::Tensor valid = at::ones({examples_}, at::kBool);
    valid[spoilt] = false;
    Reading reading = read(evaluate(poisoned, dtype_, {0, examples_}), root, tamper_, trials_);
    const bool apart = std::all_of(reading.uses.begin(), reading.uses.end(), [](const Use& use) { return use.term->isolates_examples(); });
    for (Use& use : reading.uses) check_masked_term(use, valid, spoilt);
    if (apart) check_sums(reading, reading.uses, coefficients_ * valid, "weighted sum without the masked example");
  }

  void check_masked_term(Use& use, const at::Tensor& valid, int64_t spoilt) {
    use.term->keep_only(valid);
    if (!use.term->isolates_examples()) return;
    const at::Tensor grads = use.term->per_example(), squares = use.term->squared_norms();
    judge_.expect(at::isfinite(grads).all().item<bool>() && at::isfinite(squares).all().item<bool>(),
                  use.op + " lets NaN of a masked example through");
    judge_.expect(grads[spoilt].eq(0).all().item<bool>() && squares[spoilt].item<double>() == 0,
                  use.op + " gives a masked example a gradient");
    const at::Tensor exact = grads.to(at::kDouble);
    judge_.close_norms(squares, squares_of(exact), tolerance_.formed, use.op + " squared norms beside a masked example");
  }

  const Case& tested_;
  int64_t examples_;
  at::ScalarType dtype_;
  Tolerance tolerance_;
  const Tamper& tamper_;
  Trials trials_;
  Judge judge_;
  at::Tensor coefficients_;
  Tensors reference_;
  double size_ = 0;  // of the largest gradient of the case
};

}  // namespace

std::vector<std::string> faults(const Case& tested, at::ScalarType dtype, int64_t examples, const Tamper& tamper) {
  at::manual_seed(7);
  return Trial(tested, dtype, examples, tamper).run();
}

std::string largest_errors() {
  std::string lines;
  for (const auto& [dtype, error] : errors_met()) lines += fmt::format("{}: {:.2g}\n", dtype, error);
  return lines;
}

}  // namespace ghostgrad::rules::tests
