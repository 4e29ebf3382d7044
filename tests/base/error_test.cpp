// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/base/error.h"

#include <type_traits>

#include <gtest/gtest.h>

namespace ghostgrad::base {
namespace {

TEST(Error, ReadsWhereWrongGotRemedy) {
  const InvalidArgument error("sample_rate", "must lie in (0, 1]", "1.5", "pass batch size / data set size");
  EXPECT_STREQ(error.what(), "[sample_rate] must lie in (0, 1], but got 1.5; pass batch size / data set size");
  EXPECT_EQ(error.complaint().where, "sample_rate");
  EXPECT_EQ(error.complaint().got, "1.5");
}

TEST(Error, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(to_string({"engine", "has no parameters", "", "pass some"}), "[engine] has no parameters; pass some");
  EXPECT_EQ(to_string({"engine", "has no parameters", "none", ""}), "[engine] has no parameters, but got none");
  EXPECT_EQ(to_string({"engine", "has no parameters", "", ""}), "[engine] has no parameters");
}

TEST(Error, IsCaughtAsItsKindAndAsRuntimeErrorButNotAsAnotherKind) {
  const auto raise = [] { throw PrivacyError("release", "was called twice", "", "make a new one"); };
  EXPECT_THROW(raise(), PrivacyError);
  EXPECT_THROW(raise(), Error);
  EXPECT_THROW(raise(), std::runtime_error);
  static_assert(!std::is_base_of_v<InvalidArgument, PrivacyError> && !std::is_base_of_v<PrivacyError, InvalidArgument>);
  static_assert(!std::is_base_of_v<Unsupported, SystemError> && !std::is_base_of_v<SystemError, Unsupported>);
}

}  // namespace
}  // namespace ghostgrad::base
