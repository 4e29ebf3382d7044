// SPDX-License-Identifier: Apache-2.0
// The extension ghostgrad._core: each file here binds one room, and the Python below python/ghostgrad gives it names and words.
//
// The core runs without the GIL; what calls back into Python (a loss function, a custom autograd Function) takes it again by itself.
#pragma once

#include <torch/csrc/utils/pybind.h>

namespace ghostgrad::python {

namespace py = pybind11;
using WithoutGil = py::call_guard<py::gil_scoped_release>;

/// Everything that ghostgrad throws, and what libtorch throws inside it, as Python's own kinds of exceptions.
void bind_errors(py::module_& module);
/// Teaches the graph to pass over Python's containers of hooks when they are empty.
void recognise_hooks();
void bind_privacy(py::module_& module);
void bind_sample(py::module_& module);
/// The tables of methods, clip functions, rules; the clipped sum without noise.
void bind_clip(py::module_& module);
void bind_engine(py::module_& module);

}  // namespace ghostgrad::python
