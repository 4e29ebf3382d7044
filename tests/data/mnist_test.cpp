// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/mnist.h"

#include "tests/data/files.h"
#include "tests/data_path.h"
#include <gmock/gmock.h>

namespace ghostgrad::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Mnist : public FilesTest {
 protected:
  void SetUp() override {
    FilesTest::SetUp();
    write("train-images-idx3-ubyte", idx({3, 2, 2}, {0, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
    write("train-labels-idx1-ubyte", idx({3}, {9, 0, 4}));
    write_gz("t10k-images-idx3-ubyte.gz", idx({1, 2, 2}, {11, 12, 13, 14}));
    write_gz("t10k-labels-idx1-ubyte.gz", idx({1}, {1}));
  }
  template <class Wanted>
  std::string refused() const {
    return message_of<Wanted>([&] { (void)mnist(directory_); });
  }
};

TEST_F(Mnist, ReadsPlainAndGzipFilesInOrder) {
  const auto split = mnist(directory_);
  EXPECT_EQ(split.train.inputs.sizes(), at::IntArrayRef({3, 1, 2, 2}));
  EXPECT_EQ(split.test.inputs.sizes(), at::IntArrayRef({1, 1, 2, 2}));
  const auto pixels = split.train.inputs.flatten() * (0.3081 * 255) + 0.1307 * 255;
  EXPECT_TRUE(pixels.allclose(at::tensor({0, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, at::kFloat), 1e-5, 1e-3));
  EXPECT_TRUE(split.train.targets.equal(at::tensor({9, 0, 4}, at::kLong)));
  EXPECT_TRUE(split.test.targets.equal(at::tensor({1}, at::kLong)));
  EXPECT_EQ(split.train.classes, 10);
  EXPECT_EQ(split.train.name, "mnist/train");
}

TEST_F(Mnist, AsksForAMissingFileByName) {
  std::filesystem::remove(directory_ / "t10k-labels-idx1-ubyte.gz");
  EXPECT_THAT(refused<base::InvalidArgument>(), AllOf(HasSubstr("t10k-labels-idx1-ubyte"), HasSubstr("train-images-idx3-ubyte")));
}

TEST_F(Mnist, RefusesImagesWithTheMagicNumberOfLabels) {
  write("train-images-idx3-ubyte", idx({12}, Bytes(12)));
  EXPECT_THAT(refused<base::SystemError>(), AllOf(HasSubstr("begins with 0x00000803"), HasSubstr("got 0x00000801")));
}

TEST_F(Mnist, RefusesAHeaderThatIsCutOff) {
  write("train-labels-idx1-ubyte", {0, 0, 8, 1, 0});
  EXPECT_THAT(refused<base::SystemError>(), AllOf(HasSubstr("header has 8 bytes"), HasSubstr("a file of 5")));
}

TEST_F(Mnist, RefusesAFileThatIsShorterOrLongerThanItsHeaderSays) {
  for (const std::size_t size : {11U, 13U, 0U}) {
    write("train-images-idx3-ubyte", idx({3, 2, 2}, Bytes(size)));
    EXPECT_THAT(refused<base::SystemError>(), AllOf(HasSubstr("[3, 2, 2] = 12 bytes"), HasSubstr("got " + std::to_string(size)))) << size;
  }
}

TEST_F(Mnist, RefusesAHeaderWhoseProductWrapsRound) {
  write("train-images-idx3-ubyte", idx({0x80000000U, 0x80000000U, 4}, {}));  // 2^64: zero bytes if it wrapped
  EXPECT_THAT(refused<base::SystemError>(), HasSubstr("train-images-idx3-ubyte"));
}

TEST_F(Mnist, RefusesFilesWithoutExamples) {
  write("train-images-idx3-ubyte", idx({0, 2, 2}, {}));
  EXPECT_THAT(refused<base::SystemError>(), HasSubstr("at least one"));
}

TEST_F(Mnist, RefusesADifferentNumberOfLabels) {
  write("train-labels-idx1-ubyte", idx({2}, {1, 2}));
  EXPECT_THAT(refused<base::SystemError>(), AllOf(HasSubstr("each of the 3 images"), HasSubstr("got 2 labels")));
}

TEST_F(Mnist, RefusesALabelAboveNine) {
  write("train-labels-idx1-ubyte", idx({3}, {1, 10, 2}));
  EXPECT_THAT(refused<base::SystemError>(), AllOf(HasSubstr("train-labels"), HasSubstr("[0, 9]"), HasSubstr("1 of 3 outside")));
}

TEST_F(Mnist, RefusesTestImagesOfAnotherSize) {
  write_gz("t10k-images-idx3-ubyte.gz", idx({1, 1, 4}, {11, 12, 13, 14}));
  EXPECT_THAT(refused<base::SystemError>(), AllOf(HasSubstr("one size"), HasSubstr("2x2 and 1x4")));
}

TEST(MnistFiles, HoldTheFirstNineteenThousandTrainingImages) {
  GHOSTGRAD_NEED_DATA(directory, "mnist");
  const auto split = mnist(directory);
  EXPECT_EQ(split.train.inputs.sizes(), at::IntArrayRef({19000, 1, 28, 28}));
  EXPECT_EQ(split.test.inputs.sizes(), at::IntArrayRef({10000, 1, 28, 28}));
  EXPECT_TRUE(split.train.targets.slice(0, 0, 5).equal(at::tensor({5, 0, 4, 1, 9}, at::kLong)));  // as printed on the MNIST page
  EXPECT_TRUE(split.test.targets.slice(0, 0, 5).equal(at::tensor({7, 2, 1, 0, 4}, at::kLong)));
  EXPECT_NEAR(split.train.inputs.mean().item<double>(), 0.0, 0.02);  // the published constants fit
  EXPECT_NEAR(split.train.inputs.std().item<double>(), 1.0, 0.02);
}

}  // namespace
}  // namespace ghostgrad::data
