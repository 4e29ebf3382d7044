// SPDX-License-Identifier: Apache-2.0
#include "python/bind.h"
#include <optional>

#include "ghostgrad/random/key.h"
#include "ghostgrad/sample/poisson.h"

namespace ghostgrad::python {

void bind_sample(py::module_& module) {
  using sample::PoissonOptions;
  using sample::PoissonSampler;
  py::class_<PoissonOptions>(module, "PoissonOptions")
      .def(py::init<>())
      .def_readwrite("data_set_size", &PoissonOptions::data_set_size)
      .def_readwrite("sample_rate", &PoissonOptions::sample_rate)
      .def_readwrite("steps", &PoissonOptions::steps)
      .def_readwrite("physical_batch_size", &PoissonOptions::physical_batch_size);
  py::class_<PoissonSampler>(module, "PoissonSampler")
      .def(py::init([](const PoissonOptions& options, std::optional<uint64_t> test_seed) {
             return PoissonSampler(options, test_seed ? random::Key::for_tests(*test_seed) : random::Key::from_os());
           }),
           py::arg("options"), py::arg("test_seed"))
      .def(
          "draw", [](const PoissonSampler& sampler, int64_t step) { return sampler.draw(step).examples; }, WithoutGil())
      .def("event", &PoissonSampler::event, py::arg("mechanism"))
      .def_property_readonly("expected_batch_size", &PoissonSampler::expected_batch_size)
      .def_property_readonly("is_private", &PoissonSampler::is_private);
}

}  // namespace ghostgrad::python
