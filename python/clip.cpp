// SPDX-License-Identifier: Apache-2.0
#include "python/bind.h"
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ghostgrad/base/error.h"
#include "ghostgrad/clip/clip_function.h"
#include "ghostgrad/clip/clipper.h"
#include "ghostgrad/clip/method.h"
#include "ghostgrad/graph/unreduce.h"
#include "ghostgrad/rules/rule.h"

namespace ghostgrad::python {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows methods() {
  Rows rows;
  for (const auto& method : clip::methods()) rows.push_back({method.name, method.summary, method.paper});
  return rows;
}

Rows clip_functions() {
  Rows rows;
  for (const auto& function : clip::clip_functions()) rows.push_back({function.name, function.formula, function.constant});
  return rows;
}

Rows rule_table() {
  Rows rows;
  for (const auto& rule : rules::all_rules()) rows.push_back({rule.node, rule.name, rule.formula});
  return rows;
}

void refuse_unproved(const graph::Cut& cut) {
  clip::Clipper::refuse_refused(cut);
  if (cut.findings.empty()) return;
  const graph::Finding& finding = cut.findings.front();
  throw base::PrivacyError("graph", finding.op + " " + finding.wrong, "", finding.remedy + ", or pass independence=\"assumed\"");
}

struct SumOptions {
  clip::ClipperOptions clipper;
  bool assumed = false;
};

/// Sums float64, one for each parameter; norms [B].
std::pair<std::vector<at::Tensor>, at::Tensor> clipped_sum(const at::Tensor& losses, std::vector<at::Tensor> parameters,
                                                           const SumOptions& options, const std::optional<at::Tensor>& mask) {
  clip::Clipper clipper(std::move(parameters), options.clipper);
  if (clipper.method().norm == clip::NormRoute::loop_forward) {
    throw base::InvalidArgument("method", "naive runs the model once per example and cannot start from losses", "losses",
                                "choose another method, or use Engine.backward with a loss function");
  }
  auto sum = clipper.start(std::nullopt);
  const at::Tensor norms = clipper.accumulate(graph::unreduced(losses, clipper.parameters()), mask.value_or(at::Tensor()), sum,
                                              options.assumed ? clip::Clipper::refuse_refused : refuse_unproved);
  return {sum.totals(), norms};
}

}  // namespace

void bind_clip(py::module_& module) {
  module.def("methods", &methods);
  module.def("clip_functions", &clip_functions);
  module.def("rules", &rule_table);
  py::class_<SumOptions>(module, "SumOptions")
      .def(py::init<>())
      .def_property(
          "clip", [](const SumOptions& o) { return o.clipper.threshold; }, [](SumOptions& o, double value) { o.clipper.threshold = value; })
      .def_property(
          "method", [](const SumOptions& o) { return o.clipper.method; },
          [](SumOptions& o, std::string value) { o.clipper.method = std::move(value); })
      .def_property(
          "clip_function", [](const SumOptions& o) { return o.clipper.clip_function; },
          [](SumOptions& o, std::string value) { o.clipper.clip_function = std::move(value); })
      .def_readwrite("assumed", &SumOptions::assumed);
  module.def("clipped_sum", &clipped_sum, WithoutGil());
  module.def("unreduced", &graph::unreduced, WithoutGil());
}

}  // namespace ghostgrad::python
