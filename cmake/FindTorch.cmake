# SPDX-License-Identifier: Apache-2.0
# Finds libtorch by its files, in a torch wheel or an unpacked libtorch, and gives the target `torch`.
#
# The TorchConfig.cmake that comes with torch asks for the whole CUDA toolkit when the wheel was built with CUDA, although
# a program that only links needs none of it. A folder on CMAKE_PREFIX_PATH may be torch itself or its share/cmake.
include(FindPackageHandleStandardArgs)

set(hints "${Torch_DIR}/../../..")
string(REPLACE ":" ";" prefixes "$ENV{CMAKE_PREFIX_PATH}")
foreach(prefix IN LISTS CMAKE_PREFIX_PATH prefixes)
  list(APPEND hints "${prefix}" "${prefix}/../..")
endforeach()
find_file(TORCH_LIBRARY libtorch.so HINTS ${hints} PATH_SUFFIXES lib)
cmake_path(REMOVE_FILENAME TORCH_LIBRARY OUTPUT_VARIABLE folder)
find_file(TORCH_CPU_LIBRARY libtorch_cpu.so HINTS "${folder}" NO_DEFAULT_PATH)
find_file(TORCH_C10_LIBRARY libc10.so HINTS "${folder}" NO_DEFAULT_PATH)
find_path(TORCH_INCLUDE_DIR ATen/ATen.h HINTS "${folder}/../include" NO_DEFAULT_PATH)
mark_as_advanced(TORCH_LIBRARY TORCH_CPU_LIBRARY TORCH_C10_LIBRARY TORCH_INCLUDE_DIR)
if(TORCH_INCLUDE_DIR)
  file(STRINGS "${TORCH_INCLUDE_DIR}/torch/headeronly/version.h" version REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX MATCHALL "[0-9]+" version "${version}")
  list(JOIN version "." Torch_VERSION)
endif()

find_package_handle_standard_args(Torch
  REQUIRED_VARS TORCH_LIBRARY TORCH_CPU_LIBRARY TORCH_C10_LIBRARY TORCH_INCLUDE_DIR VERSION_VAR Torch_VERSION HANDLE_VERSION_RANGE
  REASON_FAILURE_MESSAGE "put the folder of the python package torch (or of libtorch) on CMAKE_PREFIX_PATH")

if(Torch_FOUND AND NOT TARGET torch)
  add_library(torch_cpu SHARED IMPORTED)
  set_target_properties(torch_cpu PROPERTIES
    IMPORTED_LOCATION "${TORCH_CPU_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${TORCH_INCLUDE_DIR};${TORCH_INCLUDE_DIR}/torch/csrc/api/include"
    INTERFACE_COMPILE_DEFINITIONS "USE_DISTRIBUTED;USE_C10D_GLOO;USE_RPC;USE_TENSORPIPE")
  add_library(torch_c10 SHARED IMPORTED)
  set_target_properties(torch_c10 PROPERTIES IMPORTED_LOCATION "${TORCH_C10_LIBRARY}")
  # libtorch.so is empty, but it is what loads the CUDA half where there is one.
  add_library(torch INTERFACE IMPORTED)
  target_link_libraries(torch INTERFACE "-Wl,--no-as-needed,\"${TORCH_LIBRARY}\" -Wl,--as-needed" torch_cpu torch_c10)
endif()
