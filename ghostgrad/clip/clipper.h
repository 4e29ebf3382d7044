// SPDX-License-Identifier: Apache-2.0
// From per-example losses to the clipped sum: the walk, ownership, the cut, one engine run, norms, coefficients, one GEMM per call.
//
//     Clipper clipper(parameters, options);
//     ClippedSum sum = clipper.start(lattice);                    // one logical batch
//     Norms norms = clipper.norms(losses, mask);                  // half one: [B] squared norms, and what is kept
//     clipper.sums(norms, clipper.coefficients(norms), sum);      // half two: the clipped sum for given coefficients
//
// The halves are apart so that ranks of a tensor- or pipeline-parallel model can add up their [groups, B] squared norms in between.
//
// Guarantee: the exact sum moves by at most C when one example is added, removed or replaced by nothing. Masked and non-finite examples are
// selected away: they contribute exactly zero.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ghostgrad/clip/bundle.h"
#include "ghostgrad/clip/clip_function.h"
#include "ghostgrad/clip/clipped_sum.h"
#include "ghostgrad/clip/groups.h"
#include "ghostgrad/clip/loop.h"
#include "ghostgrad/clip/method.h"
#include "ghostgrad/clip/router.h"
#include "ghostgrad/graph/cut.h"
#include "ghostgrad/rules/trial.h"

namespace ghostgrad::clip {

struct ClipperOptions {
  double threshold = 1.0;  // C
  std::string method = "auto";
  std::string clip_function = "abadi";
  std::optional<double> clip_constant = std::nullopt;  // of the clip function, where it has one
  Groups groups = {};                                  // with thresholds of their own, instead of C; none: all parameters together
  int64_t keep_bytes = int64_t{1} << 30;  // instantiated gradients kept between norms and sums; does not change results beyond rounding
};

/// What one physical batch left behind after the norms half.
struct Norms {
  at::Tensor by_group;  // [groups, B] float64: squared norms of the gradients of each group
  at::Tensor squared;   // [B] float64: of all tracked parameters
  at::Tensor valid;     // [B] bool: not masked, finite loss, finite norm
  int64_t masked = 0;
  int64_t nonfinite = 0;  // private: for the caller's eyes, never for a log

  at::Tensor losses;
  std::shared_ptr<graph::Graph> graph;
  std::shared_ptr<graph::Cut> cut;
  std::vector<BundlePtr> bundles;
};

/// One line of a report: a bundle, how its terms were made, and the route of its norms.
struct CallReport {
  std::string label;
  std::string route;
};

/// Decides whether a cut with findings may be trained on; throws if not.
using Judge = std::function<void(const graph::Cut&)>;

class Clipper {
 public:
  /// parameters: the tracked ones; errors: InvalidArgument (threshold, names), Unsupported (complex parameters).
  Clipper(std::vector<at::Tensor> parameters, ClipperOptions options);

  [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return parameters_; }
  [[nodiscard]] const Groups& groups() const { return groups_; }
  /// C: how far one example moves the clipped sum at most.
  [[nodiscard]] double sensitivity() const { return groups_.sensitivity(); }
  /// From the next logical batch on; all groups scale alike.
  void set_sensitivity(double sensitivity);
  [[nodiscard]] const Method& method() const { return *method_; }

  /// An empty logical batch.
  [[nodiscard]] ClippedSum start(std::optional<noise::Lattice> lattice) const;

  /// losses [B], mask: bool [B] or undefined (all count). `judge` sees the cut before anything is computed.
  /// Errors: those of walk(); PrivacyError for refused graphs, and for a NaN that reached a call that runs by the fallback.
  [[nodiscard]] Norms norms(const at::Tensor& losses, const at::Tensor& mask, const Judge& judge = refuse_refused);
  /// [groups, B] float64, zero for examples that are not valid.
  [[nodiscard]] at::Tensor coefficients(const Norms& norms) const;
  /// coefficients [groups, B]
  void sums(Norms& norms, const at::Tensor& coefficients, ClippedSum& into) const;

  /// Both halves, and the methods that have none (non_private, multi_loss). Returns the norms [B] (zeros for non_private).
  at::Tensor accumulate(const at::Tensor& losses, const at::Tensor& mask, ClippedSum& into, const Judge& judge = refuse_refused);

  /// Method `naive`: one forward and backward per example. losses_of(i) gives the loss of example i alone, as a tensor [1].
  at::Tensor accumulate_each(int64_t examples, const std::function<at::Tensor(int64_t)>& losses_of, const at::Tensor& mask,
                             ClippedSum& into);

  /// The default judge: throws PrivacyError on a refused finding, lets unproved ones pass.
  static void refuse_refused(const graph::Cut& cut);

  /// How the last physical batch was done.
  [[nodiscard]] const std::vector<CallReport>& report() const { return report_; }
  /// Calls of the last physical batch by the rule that served them; a call is under "fallback" when any of its edges was. Empty for loops.
  [[nodiscard]] const std::map<std::string, int64_t>& calls_by_rule() const { return calls_by_rule_; }
  /// Examples dropped because they were not finite, since construction. Private: do not publish.
  [[nodiscard]] int64_t nonfinite() const { return nonfinite_; }

 private:
  [[nodiscard]] at::Tensor ones_where(const at::Tensor& losses, const at::Tensor& mask) const;
  [[nodiscard]] std::vector<Use> uses_of(const at::Tensor& losses, const at::Tensor& mask, const Norms& norms,
                                         const graph::Ownerships& owners);
  void find_squared_norms(Norms& norms);
  void find_valid(Norms& norms, const at::Tensor& mask);
  [[nodiscard]] std::vector<char> covered_by(const std::vector<BundlePtr>& bundles) const;
  [[nodiscard]] std::vector<char> left_to_second_backward(const Norms& norms) const;
  void second_backward(const Norms& norms, const at::Tensor& coefficients, const std::vector<char>& wanted, ClippedSum& into) const;
  [[nodiscard]] LoopOptions loop_options(int64_t examples, const at::Tensor& mask) const;
  at::Tensor accumulate_by_loop(const at::Tensor& losses, const at::Tensor& mask, ClippedSum& into, const Judge& judge);
  at::Tensor finish_loop(const LoopSum& loop, int64_t examples, ClippedSum& into);
  at::Tensor accumulate_unclipped(const at::Tensor& losses, const at::Tensor& mask, ClippedSum& into);

  std::vector<at::Tensor> parameters_;
  const Method* method_;
  const ClipFunction* clip_function_;
  double clip_constant_;
  Groups groups_;
  Router router_;
  rules::Trials trials_;
  std::vector<CallReport> report_;
  std::map<std::string, int64_t> calls_by_rule_;
  int64_t nonfinite_ = 0;
  mutable std::vector<at::Tensor> totals_;  // of the last sum, to be zeroed and used again: fresh memory costs more than the sum
};

}  // namespace ghostgrad::clip
