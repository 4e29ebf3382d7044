// SPDX-License-Identifier: Apache-2.0
#include "python/bind.h"

// Named by pybind11's macro.
PYBIND11_MODULE(_core, module) {  // NOLINT
  module.doc() = "The C++ core of ghostgrad. Use the package ghostgrad; names in here may change.";
  module.attr("__version__") = GHOSTGRAD_VERSION;
  module.attr("torch_version") = GHOSTGRAD_TORCH_VERSION;
  ghostgrad::python::bind_errors(module);
  ghostgrad::python::recognise_hooks();
  ghostgrad::python::bind_privacy(module);
  ghostgrad::python::bind_sample(module);
  ghostgrad::python::bind_clip(module);
  ghostgrad::python::bind_engine(module);
}
