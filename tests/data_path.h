// SPDX-License-Identifier: Apache-2.0
// Where the tests find data that is not the project's: $GHOSTGRAD_DATA, or ../shared/data beside the source tree.
//
//     GHOSTGRAD_NEED_DATA(answers, "accounting/known_answers.csv");   // a std::filesystem::path
//
// Without the data a test is skipped, and with CI=true it fails: a missing folder must not look like a pass.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <gtest/gtest.h>

namespace ghostgrad::tests {

/// The source tree, found upwards from the working directory (ctest runs in build/PRESET/tests); empty when not inside one.
inline std::filesystem::path source_root() {
  for (auto folder = std::filesystem::current_path();; folder = folder.parent_path()) {
    if (std::filesystem::exists(folder / "CMakePresets.json")) return folder;
    if (folder == folder.parent_path()) return {};
  }
}

/// The file or folder `name` of the shared data; it may not exist.
inline std::filesystem::path data_path(std::string_view name) {
  if (const char* root = std::getenv("GHOSTGRAD_DATA")) return std::filesystem::path(root) / name;
  return source_root() / ".." / "shared" / "data" / name;
}

inline bool missing_data_is_failure() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string_view(ci) == "true";
}

}  // namespace ghostgrad::tests

#define GHOSTGRAD_NEED_DATA(variable, name)                                                        \
  const auto variable = ::ghostgrad::tests::data_path(name);                                       \
  if (!std::filesystem::exists(variable)) {                                                        \
    if (::ghostgrad::tests::missing_data_is_failure()) FAIL() << "no " << variable;                \
    GTEST_SKIP() << "no " << variable << "; set GHOSTGRAD_DATA to the folder that holds " << name; \
  }                                                                                                \
  static_assert(true, "a semicolon follows")
