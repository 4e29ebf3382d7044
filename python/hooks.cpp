// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/hooks.h"

#include "python/bind.h"
#include <cstring>
#include <typeinfo>

#include <torch/csrc/autograd/python_hook.h>

namespace ghostgrad::python {
namespace {

using namespace torch::autograd;

/// torch does not export the types of its Python hooks, so they are told by name.
bool is_named(const std::type_info& type, const char* name) { return std::strcmp(type.name(), name) == 0; }

bool is_empty(PyObject* dict) {
  const py::gil_scoped_acquire gil;
  return dict == nullptr || (PyDict_Check(dict) && PyDict_Size(dict) == 0);
}

bool is_idle_before(const FunctionPreHook& hook) {
  if (is_named(typeid(hook), "N5torch8autograd23PyFunctionTensorPreHookE"))
    return is_empty(static_cast<const PyFunctionTensorPreHook&>(hook).dict);
  return is_named(typeid(hook), "N5torch8autograd17PyFunctionPreHookE") && is_empty(static_cast<const PyFunctionPreHook&>(hook).dict);
}

bool is_idle_after(const FunctionPostHook& hook) {
  return is_named(typeid(hook), "N5torch8autograd18PyFunctionPostHookE") && is_empty(static_cast<const PyFunctionPostHook&>(hook).dict);
}

std::shared_ptr<void> hold_interpreter() { return std::make_shared<py::gil_scoped_acquire>(); }

}  // namespace

void recognise_hooks() { graph::recognise_idle_hooks({is_idle_before, is_idle_after, hold_interpreter}); }

}  // namespace ghostgrad::python
