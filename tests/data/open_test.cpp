// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/open.h"

#include "tests/data/files.h"
#include <gmock/gmock.h>

namespace ghostgrad::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string refused(const std::string& spec) {
  return message_of<base::InvalidArgument>([&] { (void)open(spec); });
}

TEST(Open, DrawsTheDigits) { EXPECT_EQ(open("digits").train.name, "digits/train"); }

TEST(Open, ListsWhatExistsForAnUnknownName) {
  for (const auto* spec : {"svhn", "", ":", "Digits", "svhn:/data"}) {
    EXPECT_THAT(refused(spec), AllOf(HasSubstr("digits"), HasSubstr("mnist:DIR"), HasSubstr("cifar10:DIR"))) << spec;
  }
}

TEST(Open, AsksForTheDirectoryWhereOneIsNeeded) {
  EXPECT_THAT(refused("mnist"), HasSubstr("must be written mnist:DIR"));
  EXPECT_THAT(refused("cifar10:"), HasSubstr("must be written cifar10:DIR"));
}

TEST(Open, RefusesADirectoryWhereNoneIsUsed) { EXPECT_THAT(refused("digits:/data"), HasSubstr("must be written digits")); }

TEST(Open, HandsTheDirectoryToTheReaderColonsIncluded) {
  EXPECT_THAT(refused("mnist:/no:where"), HasSubstr("/no:where/train-images-idx3-ubyte"));
  EXPECT_THAT(refused("cifar10:/nowhere"), HasSubstr("/nowhere/data_batch_1.bin"));
}

TEST(Sources, AreWrittenAsTheirNameSays) {
  for (const auto& source : sources()) EXPECT_EQ(source.spec, std::string(source.name) + (source.needs_directory ? ":DIR" : ""));
}

}  // namespace
}  // namespace ghostgrad::data
