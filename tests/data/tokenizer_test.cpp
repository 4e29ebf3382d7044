// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/tokenizer.h"

#include "files.h"
#include <gmock/gmock.h>
#include <random>

#include "ghostgrad/data/byte_pairs.h"

namespace ghostgrad::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What the oracle below is compared with: merges by the book, counting everything again each time.
std::vector<Merge> merges_by_hand(const std::vector<std::string_view>& texts, int64_t count) {
  std::vector<std::vector<Token>> pieces;
  for (const auto text : texts) {
    for (const auto piece : pieces_of(text)) pieces.push_back(Tokenizer().encode(piece));
  }
  std::vector<Merge> merges;
  for (int64_t k = 0; k < count; ++k) {
    std::map<Merge, int64_t> counts;
    for (const auto& piece : pieces) {
      for (size_t i = 0; i + 1 < piece.size(); ++i) ++counts[{piece[i], piece[i + 1]}];
    }
    const auto best = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    merges.push_back(best->first);  // the first of equals, in the order of the tokens
    for (auto& piece : pieces) {
      std::vector<Token> joined;
      for (size_t i = 0; i < piece.size(); ++i) {
        const bool here = i + 1 < piece.size() && Merge{piece[i], piece[i + 1]} == best->first;
        joined.push_back(here ? kFirstMerge + k : piece[i]);
        if (here) ++i;
      }
      piece = joined;
    }
  }
  return merges;
}

const std::vector<std::string_view> kTexts = {"the coffee shop in the city centre",
                                              "The Rice Boat is in the centre of the city, by the river",
                                              "a family friendly coffee shop near the river rated 5 out of 5"};

TEST(Tokenizer, MakesATokenOfEachByteWithoutMerges) {
  const Tokenizer bytes;
  EXPECT_EQ(bytes.size(), 257);
  EXPECT_THAT(bytes.encode("Ab\n"), ElementsAre(1 + 'A', 1 + 'b', 1 + '\n'));
}

TEST(Tokenizer, DecodesWhatItEncodedWhateverTheBytes) {
  std::mt19937 dice(1);
  for (const Tokenizer& tokenizer : {Tokenizer(), byte_pairs(kTexts, 300)}) {
    for (int i = 0; i < 200; ++i) {
      std::string text;
      for (size_t k = 0; k < dice() % 40; ++k) text.push_back(static_cast<char>(i % 2 == 0 ? dice() % 256 : "the cityof 5"[dice() % 12]));
      const auto tokens = tokenizer.encode(text);
      EXPECT_EQ(tokenizer.decode(tokens), text);
      for (const Token token : tokens) EXPECT_TRUE(token > kEndOfText && token < tokenizer.size());
    }
  }
}

TEST(Tokenizer, LeavesOutTokensThatAreNoText) {
  const Token tokens[] = {kEndOfText, 1 + 'a', 257, kEndOfText, -100};
  EXPECT_EQ(Tokenizer().decode(tokens), "a");
}

TEST(Tokenizer, RefusesMergesOfTokensThatDoNotExist) {
  EXPECT_THAT(message_of<base::InvalidArgument>([] { Tokenizer({{1, 257}}); }), HasSubstr("[merges]"));
  EXPECT_THAT(message_of<base::InvalidArgument>([] { Tokenizer({{0, 1}}); }), HasSubstr("[merges]"));
}

TEST(Pieces, AreWordsWithTheirBlankNumbersAndTheRest) {
  EXPECT_THAT(pieces_of("The 15th, of  May!"), ElementsAre("The", " 15", "th", ",", " of", " ", " May", "!"));
  EXPECT_THAT(pieces_of(""), ElementsAre());
  EXPECT_THAT(pieces_of(" "), ElementsAre(" "));
}

TEST(BytePairs, MergesTheMostFrequentPairEachTime) { EXPECT_EQ(byte_pairs(kTexts, 257 + 30).merges(), merges_by_hand(kTexts, 30)); }

TEST(BytePairs, DoNotDependOnTheOrderOfTheTexts) {
  const std::vector<std::string_view> reversed(kTexts.rbegin(), kTexts.rend());
  EXPECT_EQ(byte_pairs(kTexts, 320).merges(), byte_pairs(reversed, 320).merges());
}

TEST(BytePairs, ShortenTheTextsThatTheyWereLearnedFrom) {
  const auto tokenizer = byte_pairs(kTexts, 340);
  for (const auto text : kTexts) EXPECT_LT(tokenizer.encode(text).size(), 0.7 * text.size());
}

TEST(BytePairs, EndWhereNoPairOccursTwice) {
  const auto tokenizer = byte_pairs({"abab"}, 1000);
  EXPECT_THAT(tokenizer.merges(), ElementsAre(Merge{1 + 'a', 1 + 'b'}));
  EXPECT_EQ(tokenizer.size(), 258);
}

TEST(BytePairs, RefuseAVocabularyThatLeavesOutBytes) {
  EXPECT_THAT(message_of<base::InvalidArgument>([] { (void)byte_pairs(kTexts, 256); }), HasSubstr("at least 257"));
}

}  // namespace
}  // namespace ghostgrad::data
