// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/e2e.h"

#include "files.h"
#include "tests/data_path.h"
#include <chrono>
#include <gmock/gmock.h>

#include "ghostgrad/data/open.h"

namespace ghostgrad::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<Token> tokens_of(const at::Tensor& row) { return {row.data_ptr<int64_t>(), row.data_ptr<int64_t>() + row.numel()}; }

class E2e : public FilesTest {
 protected:
  void text(const std::string& name, const std::string& content) const { write(name, Bytes(content.begin(), content.end())); }
  void SetUp() override {
    FilesTest::SetUp();
    text("train.csv",
         "mr,ref\n\"name[A], area[riverside]\",A is by the river.\nname[B],B.\n\"area[city centre], name[C]\",C is central.\n");
    text("test.csv", "mr,ref\nname[D],D!\nname[D],Go to D.\n");
  }
  std::string message(const TextOptions& options) const {
    return message_of<base::InvalidArgument>([&] { (void)e2e(directory_, options); });
  }
};

TEST_F(E2e, AsksForTheAnswerAndItsEndOnly) {
  const auto split = e2e(directory_, {.positions = 20});
  const auto inputs = tokens_of(split.train.inputs[1]), targets = tokens_of(split.train.targets[1]);  // name[B] || B.
  ASSERT_EQ(inputs.size(), 20U);
  EXPECT_EQ(inputs.front(), kEndOfText);
  EXPECT_EQ(split.text->tokenizer.decode(inputs), "name[B] || B.");
  std::vector<Token> wanted(20, kIgnored);
  wanted[11] = 1 + 'B';  // after the token 0 and the eleven bytes of the prompt
  wanted[12] = 1 + '.';
  wanted[13] = kEndOfText;
  EXPECT_EQ(targets, wanted);
  EXPECT_EQ(inputs[12], 1 + 'B');
}

TEST_F(E2e, CutsWhatIsTooLong) {
  const auto split = e2e(directory_, {.positions = 13});
  EXPECT_EQ(split.train.inputs.sizes(), at::IntArrayRef({3, 13}));
  EXPECT_EQ(tokens_of(split.train.targets[1])[12], 1 + '.');  // the end did not fit
  EXPECT_TRUE(split.train.targets[0].eq(kIgnored).all().item<bool>());
}

TEST_F(E2e, SaysWhatItIs) {
  const auto split = e2e(directory_, {});
  EXPECT_EQ(split.train.task, base::Task::language_model);
  EXPECT_EQ(split.train.classes, 257);
  EXPECT_EQ(split.train.vocabulary, 257);
  EXPECT_EQ(split.train.inputs.size(1), 320);
  EXPECT_EQ(split.test.size(), 2);
  EXPECT_THAT(split.text->prompts, ElementsAre("name[D] || "));
  EXPECT_TRUE(split.train.warnings.empty());
}

TEST_F(E2e, WarnsThatATokenizerWasLearnedFromTheTrainingTexts) {
  const auto split = e2e(directory_, {.tokenizer = "bpe", .vocabulary = 260});
  EXPECT_EQ(split.train.classes, 260);
  ASSERT_EQ(split.train.warnings.size(), 1U);
  EXPECT_THAT(split.train.warnings[0], HasSubstr("epsilon does not cover"));
}

TEST_F(E2e, LearnsNoTokenFromTestTexts) {
  const auto before = e2e(directory_, {.tokenizer = "bpe"}).text->tokenizer.merges();
  text("test.csv", "mr,ref\nzzzzzzzz,zzzzzzzzzzzzzzzz\n");
  EXPECT_EQ(e2e(directory_, {.tokenizer = "bpe"}).text->tokenizer.merges(), before);
}

TEST_F(E2e, SortsSentencesByTheArea) {
  const auto split = e2e_area(directory_, {.positions = 10});
  EXPECT_EQ(split.train.task, base::Task::classification);
  EXPECT_TRUE(split.train.targets.equal(at::tensor({2, 0, 1}, at::kLong)));
  EXPECT_EQ(split.train.classes, 3);
  EXPECT_EQ(split.text->tokenizer.decode(tokens_of(split.train.inputs[1])), "B.");
  EXPECT_EQ(tokens_of(split.train.inputs[1])[3], kEndOfText);
}

TEST_F(E2e, RefusesAnUnknownAreaWithoutNamingIt) {
  text("test.csv", "mr,ref\narea[secret],D\n");
  const auto message = message_of<base::SystemError>([&] { (void)e2e_area(directory_, {}); });
  EXPECT_THAT(message, Not(HasSubstr("secret")));
}

TEST_F(E2e, TakesThePublishedFileNames) {
  std::filesystem::rename(directory_ / "train.csv", directory_ / "trainset.csv");
  std::filesystem::rename(directory_ / "test.csv", directory_ / "testset_w_refs.csv");
  EXPECT_EQ(e2e(directory_, {}).train.size(), 3);
}

TEST_F(E2e, RefusesOptionsThatMeanNothing) {
  EXPECT_THAT(message({.tokenizer = "words"}), HasSubstr("choose bytes or bpe"));
  EXPECT_THAT(message({.vocabulary = 300}), HasSubstr("[vocabulary]"));
  EXPECT_THAT(message({.tokenizer = "bpe", .vocabulary = 10}), HasSubstr("[vocabulary]"));
  EXPECT_THAT(message({.positions = 1}), HasSubstr("[positions]"));
  EXPECT_THAT(message_of<base::InvalidArgument>([] { (void)open("digits", {.positions = 9}); }), HasSubstr("is no text"));
  std::filesystem::remove(directory_ / "test.csv");
  EXPECT_THAT(message({}), HasSubstr("testset_w_refs.csv"));
}

TEST(E2eFiles, AreReadAndLearnedFromInAFewSeconds) {
  GHOSTGRAD_NEED_DATA(directory, "e2e");
  const auto start = std::chrono::steady_clock::now();
  const auto split = e2e(directory, {.tokenizer = "bpe", .vocabulary = 500});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));  // 0.5 s on an idle machine
  EXPECT_EQ(split.train.size(), 4672);
  EXPECT_EQ(split.test.size(), 4693);
  EXPECT_EQ(split.text->prompts.size(), 630U);
  EXPECT_EQ(split.text->tokenizer.size(), 500);
  EXPECT_EQ(split.text->tokenizer.decode(tokens_of(split.train.inputs[0])),
            "name[Alimentum], area[city centre], familyFriendly[no] || There is a place in the city centre, Alimentum, that is not "
            "family-friendly.");
}

}  // namespace
}  // namespace ghostgrad::data
