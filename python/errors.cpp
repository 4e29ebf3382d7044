// SPDX-License-Identifier: Apache-2.0
#include "python/bind.h"
#include <exception>

#include <torch/csrc/Exceptions.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::python {
namespace {

void raise(const char* type, const base::Error& error) {
  const py::object kind = py::module_::import("ghostgrad.errors").attr(type);
  const base::Complaint& complaint = error.complaint();
  const py::object exception = kind(error.what());
  exception.attr("where") = complaint.where;
  exception.attr("wrong") = complaint.wrong;
  exception.attr("got") = complaint.got;
  exception.attr("remedy") = complaint.remedy;
  PyErr_SetObject(kind.ptr(), exception.ptr());
}

void translate(std::exception_ptr thrown) {  // NOLINT(performance-unnecessary-value-param): pybind11's signature
  try {
    std::rethrow_exception(thrown);
  } catch (const base::InvalidArgument& error) {
    raise("InvalidArgument", error);
  } catch (const base::Unsupported& error) {
    raise("Unsupported", error);
  } catch (const base::PrivacyError& error) {
    raise("PrivacyError", error);
  } catch (const base::SystemError& error) {
    raise("SystemError", error);
  } catch (const python_error&) {  // of a custom autograd Function
    torch::translate_exception_to_python(thrown);
  } catch (const c10::Error&) {
    torch::translate_exception_to_python(thrown);
  }
}

}  // namespace

void bind_errors(py::module_& module) { py::register_local_exception_translator(translate); }

}  // namespace ghostgrad::python
