# SPDX-License-Identifier: Apache-2.0
# cmake --install: the libraries, the headers beside which they were written, and find_package(ghostgrad).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(libraries ghostgrad_core)
if(GHOSTGRAD_TORCH)
  list(APPEND libraries ghostgrad)
endif()
install(TARGETS ${libraries} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
if(TARGET ghostgrad_cli)
  install(TARGETS ghostgrad_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
install(DIRECTORY "${CMAKE_SOURCE_DIR}/ghostgrad" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/ghostgrad")
configure_package_config_file(
  "${CMAKE_SOURCE_DIR}/cmake/ghostgradConfig.cmake.in" "${CMAKE_BINARY_DIR}/package/ghostgradConfig.cmake"
  INSTALL_DESTINATION "${package}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/package/ghostgradConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(
  FILES "${CMAKE_BINARY_DIR}/package/ghostgradConfig.cmake" "${CMAKE_BINARY_DIR}/package/ghostgradConfigVersion.cmake"
    "${CMAKE_SOURCE_DIR}/cmake/FindTorch.cmake"
  DESTINATION "${package}")
