# SPDX-License-Identifier: Apache-2.0
# How a folder of the house becomes a target.
# fmt is used header-only: torch brings its own fmt headers (another version), whose symbols no installed libfmt has.

set(GHOSTGRAD_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wno-unused-parameter)

add_library(ghostgrad_settings INTERFACE)
target_include_directories(ghostgrad_settings INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
target_compile_features(ghostgrad_settings INTERFACE cxx_std_20)
if(GHOSTGRAD_SANITIZE)
  target_compile_options(ghostgrad_settings INTERFACE -fsanitize=${GHOSTGRAD_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(ghostgrad_settings INTERFACE -fsanitize=${GHOSTGRAD_SANITIZE})
endif()

# Reading torch's headers costs more than compiling ours: two precompiled headers, each built once.
# "tensor": ATen alone. "nodes": also the generated autograd nodes (graph/ and rules/ only).
if(GHOSTGRAD_TORCH)
  foreach(kind tensor nodes)
    file(WRITE "${CMAKE_BINARY_DIR}/pch/${kind}.cpp.in" "// anchor of a precompiled header\n")
    configure_file("${CMAKE_BINARY_DIR}/pch/${kind}.cpp.in" "${CMAKE_BINARY_DIR}/pch/${kind}.cpp" COPYONLY)
    add_library(ghostgrad_pch_${kind} OBJECT "${CMAKE_BINARY_DIR}/pch/${kind}.cpp")
    target_link_libraries(ghostgrad_pch_${kind} PRIVATE ghostgrad_settings torch fmt::fmt-header-only)
    target_compile_options(ghostgrad_pch_${kind} PRIVATE ${GHOSTGRAD_WARNINGS})
  endforeach()
  target_precompile_headers(ghostgrad_pch_tensor PRIVATE <ATen/ATen.h>)
  target_precompile_headers(ghostgrad_pch_nodes PRIVATE <torch/csrc/autograd/generated/Functions.h>)
endif()

# ghostgrad_room(NAME [TORCH] [LINK targets...]): every .cpp below ghostgrad/NAME as an object library.
function(ghostgrad_room name)
  cmake_parse_arguments(arg "TORCH" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/ghostgrad/${name}/*.cpp")
  if(NOT sources)
    file(WRITE "${CMAKE_BINARY_DIR}/empty/${name}.cpp" "")
    set(sources "${CMAKE_BINARY_DIR}/empty/${name}.cpp")
  endif()
  add_library(ghostgrad_${name} OBJECT ${sources})
  target_link_libraries(ghostgrad_${name} PUBLIC ghostgrad_settings fmt::fmt-header-only ${arg_LINK})
  target_compile_options(ghostgrad_${name} PRIVATE ${GHOSTGRAD_WARNINGS})
  if(arg_TORCH)
    target_link_libraries(ghostgrad_${name} PUBLIC torch)
    if(name MATCHES "^(graph|rules)$")
      target_precompile_headers(ghostgrad_${name} REUSE_FROM ghostgrad_pch_nodes)
    else()
      target_precompile_headers(ghostgrad_${name} REUSE_FROM ghostgrad_pch_tensor)
    endif()
  endif()
endfunction()

# ghostgrad_library(NAME ROOMS rooms... [LINK targets...]): the rooms as one shared library. Object libraries keep the
# self-registering rules, which a static archive would drop without a word.
function(ghostgrad_library name)
  cmake_parse_arguments(arg "" "" "ROOMS;LINK" ${ARGN})
  add_library(${name} SHARED)
  foreach(room ${arg_ROOMS})
    target_link_libraries(${name} PUBLIC ghostgrad_${room})
  endforeach()
  target_link_libraries(${name} PUBLIC ${arg_LINK})
  set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
endfunction()

# How tests are compiled: they run for seconds and compile for minutes, so -O1. A precompiled header serves only sources compiled with its own
# flags: the compiler's default for programs, for both.
function(ghostgrad_test_settings target)
  target_compile_options(${target} PRIVATE ${GHOSTGRAD_WARNINGS} $<$<CONFIG:Release>:-O1>)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
endfunction()

# ghostgrad_test_pch(KIND headers...): a precompiled header for tests.
function(ghostgrad_test_pch kind)
  add_library(ghostgrad_test_pch_${kind} OBJECT "${CMAKE_BINARY_DIR}/pch/tensor.cpp")
  target_link_libraries(ghostgrad_test_pch_${kind} PRIVATE ghostgrad GTest::gtest)
  ghostgrad_test_settings(ghostgrad_test_pch_${kind})
  target_precompile_headers(ghostgrad_test_pch_${kind} PRIVATE ${ARGN} <gtest/gtest.h>)
endfunction()

# ghostgrad_test(ROOM [LINK targets...] [PCH kind]): tests/ROOM/*_test.cpp and *_cases.cpp as one program, run by ctest.
function(ghostgrad_test room)
  cmake_parse_arguments(arg "" "PCH" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${room}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${room}_test ${sources})
  target_link_libraries(${room}_test PRIVATE ${arg_LINK} GTest::gtest GTest::gtest_main)
  ghostgrad_test_settings(${room}_test)
  set_target_properties(${room}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  if(arg_PCH)
    target_precompile_headers(${room}_test REUSE_FROM ghostgrad_test_pch_${arg_PCH})
  endif()
  add_test(NAME ${room} COMMAND ${room}_test --gtest_filter=-*Slow* --gtest_brief=1)
  set_tests_properties(${room} PROPERTIES LABELS fast)
  add_test(NAME ${room}_slow COMMAND ${room}_test --gtest_filter=*Slow* --gtest_brief=1)
  set_tests_properties(${room}_slow PROPERTIES LABELS slow)
endfunction()
