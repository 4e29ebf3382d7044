// SPDX-License-Identifier: Apache-2.0
#include "python/bind.h"
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "ghostgrad/privacy/accountants.h"
#include "ghostgrad/privacy/calibration.h"
#include "ghostgrad/privacy/event_json.h"
#include "ghostgrad/privacy/statement.h"

namespace ghostgrad::python {
namespace {

using privacy::Accountant;
using privacy::Event;

using BoundTuple = std::pair<double, std::vector<std::string>>;
BoundTuple to_tuple(const privacy::Bound& bound) { return {bound.value, bound.warnings}; }

std::unique_ptr<Accountant> make_accountant(const std::string& name, const std::string& adjacency) {
  return privacy::make_accountant(name, privacy::adjacency_named(adjacency));
}

void bind_events(py::module_& module) {
  py::class_<Event>(module, "Event")
      .def("__str__", [](const Event& event) { return privacy::to_text(event); })
      .def(
          "__eq__", [](const Event& a, const Event& b) { return a == b; }, py::is_operator())
      .def("to_json", [](const Event& event) { return privacy::event_to_json(event).dump(); })
      .def_static("from_json", [](const std::string& text) { return privacy::parse_event(text); });
  module.def("non_private", &privacy::non_private);
  module.def("gaussian", &privacy::gaussian, py::arg("noise_multiplier"));
  module.def("poisson_sampled", &privacy::poisson_sampled, py::arg("sample_rate"), py::arg("event"));
  module.def("composed", &privacy::composed, py::arg("events"));
  module.def("repeated", &privacy::repeated, py::arg("event"), py::arg("count"));
}

void bind_accountants(py::module_& module) {
  py::class_<Accountant>(module, "Accountant")
      .def(py::init(&make_accountant), py::arg("name"), py::arg("adjacency"))
      .def_property_readonly("name", &Accountant::name)
      .def_property_readonly("adjacency", [](const Accountant& accountant) { return privacy::to_text(accountant.adjacency()); })
      .def("supports", &Accountant::supports)
      .def("compose", &Accountant::compose, py::arg("event"), py::arg("count"), WithoutGil())
      .def(
          "epsilon", [](const Accountant& accountant, double delta) { return to_tuple(accountant.epsilon(delta)); }, WithoutGil())
      .def(
          "delta", [](const Accountant& accountant, double epsilon) { return to_tuple(accountant.delta(epsilon)); }, WithoutGil());
  module.def("accountants", [] {
    std::vector<std::vector<std::string>> rows;
    for (const auto& row : privacy::accountants()) rows.push_back({std::string(row.name), std::string(row.what), std::string(row.source)});
    return rows;
  });
}

/// How the noise multiplier for a budget is looked for.
struct Search {
  privacy::TrainingBudget budget{};
  std::string accountant, adjacency;
};

void bind_calibration(py::module_& module) {
  py::class_<Search>(module, "Search")
      .def(py::init<>())
      .def_property(
          "epsilon", [](const Search& s) { return s.budget.epsilon; }, [](Search& s, double value) { s.budget.epsilon = value; })
      .def_property(
          "delta", [](const Search& s) { return s.budget.delta; }, [](Search& s, double value) { s.budget.delta = value; })
      .def_property(
          "sample_rate", [](const Search& s) { return s.budget.sample_rate; },
          [](Search& s, double value) { s.budget.sample_rate = value; })
      .def_property(
          "steps", [](const Search& s) { return s.budget.steps; }, [](Search& s, std::int64_t value) { s.budget.steps = value; })
      .def_readwrite("accountant", &Search::accountant)
      .def_readwrite("adjacency", &Search::adjacency);
  module.def(
      "calibrate_noise",
      [](const Search& search) {
        const auto found = privacy::calibrate_noise(search.budget, [&] { return make_accountant(search.accountant, search.adjacency); });
        return std::make_tuple(found.noise_multiplier, found.epsilon, found.questions, found.warnings);
      },
      WithoutGil());
}

void bind_statement(py::module_& module) {
  using privacy::PrivacyStatement;
  py::class_<PrivacyStatement>(module, "PrivacyStatement")
      .def("__str__", [](const PrivacyStatement& statement) { return privacy::to_text(statement); })
      .def("to_json", [](const PrivacyStatement& statement) { return privacy::to_json(statement).dump(); })
      .def_property_readonly("epsilon", [](const PrivacyStatement& statement) { return statement.epsilon; });
}

}  // namespace

void bind_privacy(py::module_& module) {
  bind_events(module);
  bind_accountants(module);
  bind_calibration(module);
  bind_statement(module);
}

}  // namespace ghostgrad::python
