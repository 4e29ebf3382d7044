# SPDX-License-Identifier: Apache-2.0
# The Python for which the package is built is the one whose torch we link: without another hint, that torch is libtorch.
find_package(Python3 3.10 REQUIRED COMPONENTS Interpreter Development.Module)
execute_process(
  COMMAND "${Python3_EXECUTABLE}" -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
  OUTPUT_VARIABLE torch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT torch)
  message(FATAL_ERROR "GHOSTGRAD_PYTHON: ${Python3_EXECUTABLE} has no torch; install torch 2.11-2.13, or set Python3_EXECUTABLE")
endif()
list(PREPEND CMAKE_PREFIX_PATH "${torch}")
find_library(TORCH_PYTHON_LIBRARY torch_python HINTS "${torch}/lib" NO_DEFAULT_PATH REQUIRED)
mark_as_advanced(TORCH_PYTHON_LIBRARY)
add_library(torch_python SHARED IMPORTED)
set_target_properties(torch_python PROPERTIES IMPORTED_LOCATION "${TORCH_PYTHON_LIBRARY}")
