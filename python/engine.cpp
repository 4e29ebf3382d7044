// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/engine.h"

#include "python/bind.h"
#include <optional>
#include <pybind11/functional.h>
#include <string>
#include <utility>
#include <vector>

#include "ghostgrad/random/key.h"

namespace ghostgrad::python {
namespace {

using engine::Batch;
using engine::Engine;
using engine::LossFunction;
using engine::PlanOptions;

std::unique_ptr<Engine> make_engine(const engine::NamedParameters& named, const PlanOptions& options, std::optional<uint64_t> test_seed) {
  return std::make_unique<Engine>(named, engine::Plan(options), test_seed ? random::Key::for_tests(*test_seed) : random::Key::from_os());
}

at::Tensor or_undefined(const std::optional<at::Tensor>& tensor) { return tensor.value_or(at::Tensor()); }

py::dict to_dict(const engine::Report& report) {
  std::vector<std::pair<std::string, std::string>> calls;
  for (const auto& call : report.calls) calls.emplace_back(call.label, call.route);
  using py::literals::operator""_a;
  return py::dict("method"_a = report.method, "calls"_a = calls, "by_rule"_a = report.by_rule, "unreached"_a = report.unreached,
                  "warnings"_a = report.warnings, "independence"_a = privacy::to_text(report.independence), "steps"_a = report.steps,
                  "noise_is_private"_a = report.noise_is_private);
}

std::tuple<std::optional<privacy::Event>, int64_t, bool, std::string> to_tuple(const engine::Past& past) {
  return {past.history, past.steps, past.noise_is_private, std::string(privacy::to_text(past.independence))};
}

void resume(Engine& engine, const std::optional<privacy::Event>& history, int64_t steps, std::pair<bool, bool> private_and_audited) {
  const auto [noise_is_private, audited] = private_and_audited;
  engine.resume({history, steps, noise_is_private, audited ? privacy::Independence::audited : privacy::Independence::not_audited});
}

/// Reading waits for who is at work, and who is at work may need the GIL.
engine::Report report_of(const Engine& engine) {
  const py::gil_scoped_release no_gil;
  return engine.report();
}

std::optional<at::Tensor> last_norms(const Engine& engine) {
  const at::Tensor norms = engine.last_norms();
  return norms.defined() ? std::optional(norms) : std::nullopt;
}

py::dict to_dict(const engine::IndependenceReport& report) {
  using py::literals::operator""_a;
  return py::dict("rounds"_a = report.rounds, "dropped"_a = report.dropped, "to_the_bit"_a = report.to_the_bit,
                  "random_losses"_a = report.random_losses);
}

engine::IndependenceReport check(const LossFunction& loss_fn, const Batch& batch, const std::vector<at::Tensor>& parameters) {
  return engine::check_independence(loss_fn, batch, parameters);
}

void bind_plan(py::module_& module) {
  using engine::AdaptiveClipping;
  py::class_<AdaptiveClipping>(module, "AdaptiveClipping")
      .def(py::init<>())
      .def_readwrite("quantile", &AdaptiveClipping::quantile)
      .def_readwrite("rate", &AdaptiveClipping::rate)
      .def_readwrite("count_noise", &AdaptiveClipping::count_noise);
  py::class_<PlanOptions>(module, "PlanOptions")
      .def(py::init<>())
      .def_readwrite("clip", &PlanOptions::clip)
      .def_readwrite("noise_multiplier", &PlanOptions::noise_multiplier)
      .def_readwrite("expected_batch_size", &PlanOptions::expected_batch_size)
      .def_readwrite("sample_rate", &PlanOptions::sample_rate)
      .def_readwrite("positions", &PlanOptions::positions)
      .def_readwrite("method", &PlanOptions::method)
      .def_readwrite("clip_function", &PlanOptions::clip_function)
      .def_readwrite("clip_constant", &PlanOptions::clip_constant)
      .def_readwrite("groups", &PlanOptions::groups)
      .def_readwrite("adaptive_clipping", &PlanOptions::adaptive_clipping)
      .def_readwrite("independence", &PlanOptions::independence)
      .def_readwrite("accountant", &PlanOptions::accountant)
      .def_property(
          "keep_bytes", [](const PlanOptions& options) { return options.performance.keep_bytes; },
          [](PlanOptions& options, int64_t bytes) { options.performance.keep_bytes = bytes; });
}

}  // namespace

void bind_engine(py::module_& module) {
  bind_plan(module);
  py::class_<Engine>(module, "Engine")
      .def(py::init(&make_engine), WithoutGil())
      .def(
          "backward",
          [](Engine& engine, const at::Tensor& losses, const std::optional<at::Tensor>& mask) {
            engine.backward(losses, or_undefined(mask));
          },
          WithoutGil())
      .def(
          "backward_of",
          [](Engine& engine, const LossFunction& loss_fn, const Batch& batch, const std::optional<at::Tensor>& mask) {
            engine.backward(loss_fn, batch, or_undefined(mask));
          },
          WithoutGil())
      .def("release", &Engine::release, WithoutGil())
      .def("refuse_foreign_gradients", &Engine::refuse_foreign_gradients, WithoutGil())
      .def("discard", &Engine::discard, WithoutGil())
      .def("check_independence",
           [](Engine& engine, const LossFunction& loss_fn, const Batch& batch) {
             const py::gil_scoped_release no_gil;
             return engine.check_independence(loss_fn, batch);
           })
      .def("statement", &Engine::statement, WithoutGil())
      .def(
          "past", [](const Engine& engine) { return to_tuple(engine.past()); }, WithoutGil())
      .def("resume", &resume, WithoutGil())
      .def("report", [](const Engine& engine) { return to_dict(report_of(engine)); })
      .def_property_readonly("steps", py::cpp_function(&Engine::steps, WithoutGil()))
      .def_property_readonly("clip", [](const Engine& engine) { return engine.plan().options().clip; })
      .def_property_readonly("threshold", py::cpp_function(&Engine::threshold, WithoutGil()))
      .def_property_readonly("last_norms", py::cpp_function(&last_norms, WithoutGil()));
  py::class_<engine::IndependenceReport>(module, "IndependenceReport").def("to_dict", [](const engine::IndependenceReport& report) {
    return to_dict(report);
  });
  module.def("check_independence", &check, WithoutGil());
}

}  // namespace ghostgrad::python
