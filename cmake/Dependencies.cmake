# SPDX-License-Identifier: Apache-2.0
# What ghostgrad stands on. Every package is named here once, with what to install when it is missing.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.74 REQUIRED CONFIG)
find_package(Eigen3 3.3 REQUIRED NO_MODULE)

if(GHOSTGRAD_TORCH)
  find_package(Torch 2.11...<2.14 REQUIRED)
endif()
if(GHOSTGRAD_TESTS)
  find_package(GTest REQUIRED)
endif()
