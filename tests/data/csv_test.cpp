// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/csv.h"

#include "files.h"
#include <gmock/gmock.h>

namespace ghostgrad::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<Row> parsed(std::string_view text) { return parse_csv(text, "file.csv"); }

TEST(ParseCsv, CutsRowsAtLineEndsAndFieldsAtCommas) {
  EXPECT_THAT(parsed("a,b\nc,d\n"), ElementsAre(Row{"a", "b"}, Row{"c", "d"}));
  EXPECT_THAT(parsed("a,b\r\nc,d"), ElementsAre(Row{"a", "b"}, Row{"c", "d"}));
  EXPECT_THAT(parsed("\n\na\n\n"), ElementsAre(Row{"a"}));
  EXPECT_THAT(parsed(""), ElementsAre());
}

TEST(ParseCsv, KeepsCommasLineEndsAndQuotesInsideQuotes) {
  EXPECT_THAT(parsed("\"a,b\",\"c\nd\"\n"), ElementsAre(Row{"a,b", "c\nd"}));
  EXPECT_THAT(parsed("\"say \"\"hi\"\"\",x\n"), ElementsAre(Row{"say \"hi\"", "x"}));
  EXPECT_THAT(parsed("\"\"\"\"\n"), ElementsAre(Row{"\""}));
  EXPECT_THAT(parsed("5\" wide,x\n"), ElementsAre(Row{"5\" wide", "x"}));
}

TEST(ParseCsv, KeepsEmptyFields) { EXPECT_THAT(parsed(",\n\"\"\na,\n"), ElementsAre(Row{"", ""}, Row{""}, Row{"a", ""})); }

TEST(ParseCsv, RefusesAQuoteThatIsNotClosedWithoutShowingTheField) {
  const auto message = message_of<base::SystemError>([] { (void)parsed("a,\"secret\n"); });
  EXPECT_THAT(message, AllOf(HasSubstr("[file.csv]"), Not(HasSubstr("secret"))));
}

class ReadCsv : public FilesTest {
 protected:
  std::filesystem::path file(const std::string& text) const { return write("x.csv", Bytes(text.begin(), text.end())); }
  std::string refused(const std::string& text) const {
    return message_of<base::SystemError>([&] { (void)read_csv(file(text), {"mr", "ref"}); });
  }
};

TEST_F(ReadCsv, GivesTheRowsBelowTheHeading) {
  EXPECT_THAT(read_csv(file("mr,ref\na,b\n"), {"mr", "ref"}), ElementsAre(Row{"a", "b"}));
  EXPECT_THAT(read_csv(file("\xEF\xBB\xBF\"mr\",\"ref\"\na,b\n"), {"mr", "ref"}), ElementsAre(Row{"a", "b"}));
}

TEST_F(ReadCsv, RefusesOtherColumnsOtherLengthsAndNoRows) {
  EXPECT_THAT(refused("ref,mr\na,b\n"), HasSubstr("columns mr,ref"));
  EXPECT_THAT(refused(""), HasSubstr("columns mr,ref"));
  EXPECT_THAT(refused("mr,ref\na,b\nsecret\n"), AllOf(HasSubstr("rows of 2 fields"), Not(HasSubstr("secret"))));
  EXPECT_THAT(refused("mr,ref\n"), HasSubstr("rows of 2 fields"));
}

}  // namespace
}  // namespace ghostgrad::data
