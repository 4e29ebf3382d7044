// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/cifar10.h"

#include "tests/data/files.h"
#include "tests/data_path.h"
#include <gmock/gmock.h>

namespace ghostgrad::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A record whose three planes are filled with one value each.
void append_record(Bytes& file, uint8_t label, const std::array<uint8_t, 3>& colour) {
  file.push_back(label);
  for (const auto value : colour) file.insert(file.end(), 1024, value);
}

class Cifar10 : public FilesTest {
 protected:
  void SetUp() override {
    FilesTest::SetUp();
    Bytes first, second, test;
    append_record(first, 3, {255, 0, 0});
    append_record(first, 9, {0, 255, 0});
    append_record(second, 1, {0, 0, 255});
    append_record(test, 0, {1, 2, 3});
    write("data_batch_1.bin", first);
    write("data_batch_2.bin", second);
    write("test_batch.bin", test);
  }
  template <class Wanted>
  std::string refused() const {
    return message_of<Wanted>([&] { (void)cifar10(directory_); });
  }
};

TEST_F(Cifar10, ReadsRecordsOfAllBatchesInOrder) {
  const auto split = cifar10(directory_);
  ASSERT_EQ(split.train.inputs.sizes(), at::IntArrayRef({3, 3, 32, 32}));
  EXPECT_TRUE(split.train.targets.equal(at::tensor({3, 9, 1}, at::kLong)));
  EXPECT_TRUE(split.test.targets.equal(at::tensor({0}, at::kLong)));
  const auto deviations = at::tensor({0.2470, 0.2435, 0.2616}, at::kFloat), means = at::tensor({0.4914, 0.4822, 0.4465}, at::kFloat);
  const auto colours = split.train.inputs.amax({2, 3}) * deviations + means;  // one colour fills each image
  EXPECT_TRUE(colours.allclose(at::eye(3), 1e-5, 1e-6));
  EXPECT_TRUE(split.train.inputs.amax({2, 3}).equal(split.train.inputs.amin({2, 3})));
}

TEST_F(Cifar10, AsksForAMissingFileByName) {
  std::filesystem::remove(directory_ / "test_batch.bin");
  EXPECT_THAT(refused<base::InvalidArgument>(), HasSubstr("test_batch.bin"));
}

TEST_F(Cifar10, NoticesABatchMissingFromTheMiddle) {
  std::filesystem::rename(directory_ / "data_batch_2.bin", directory_ / "data_batch_3.bin");
  EXPECT_THAT(refused<base::InvalidArgument>(), HasSubstr("data_batch_2.bin] there is no such file"));
}

TEST_F(Cifar10, AsksForTheFirstBatchInAnEmptyDirectory) {
  std::filesystem::remove(directory_ / "data_batch_1.bin");
  std::filesystem::remove(directory_ / "data_batch_2.bin");
  EXPECT_THAT(refused<base::InvalidArgument>(), HasSubstr("data_batch_1.bin] there is no such file"));
}

TEST_F(Cifar10, RefusesAPartOfARecordAndAnEmptyFile) {
  for (const std::size_t size : {0U, 3072U, 3074U}) {
    write("data_batch_2.bin", Bytes(size));
    EXPECT_THAT(refused<base::SystemError>(),
                AllOf(HasSubstr("records of 3073 bytes"), HasSubstr("got " + std::to_string(size) + " bytes")))
        << size;
  }
}

TEST_F(Cifar10, RefusesALabelAboveNine) {
  Bytes file;
  append_record(file, 10, {0, 0, 0});
  write("data_batch_2.bin", file);
  EXPECT_THAT(refused<base::SystemError>(), AllOf(HasSubstr("data_batch_2.bin"), HasSubstr("1 of 1 outside")));
}

TEST(Cifar10Files, HoldAThousandImagesPerBatch) {
  GHOSTGRAD_NEED_DATA(directory, "cifar10");
  const auto split = cifar10(directory);
  EXPECT_EQ(split.train.inputs.sizes(), at::IntArrayRef({5000, 3, 32, 32}));
  EXPECT_EQ(split.test.inputs.sizes(), at::IntArrayRef({1000, 3, 32, 32}));
  EXPECT_TRUE(split.test.targets.slice(0, 0, 4).equal(at::tensor({3, 8, 8, 0}, at::kLong)));  // cat, ship, ship, plane
  EXPECT_LT(split.train.inputs.mean({0, 2, 3}).abs().max().item<double>(), 0.05);             // the published constants fit
  EXPECT_LT((split.train.inputs.std({0, 2, 3}) - 1).abs().max().item<double>(), 0.05);
}

}  // namespace
}  // namespace ghostgrad::data
