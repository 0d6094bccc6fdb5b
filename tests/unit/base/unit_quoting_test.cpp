// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/unit_quoting.hpp"

#include <gmock/gmock.h>

namespace berth::base {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(UnitQuoting, SplitsWordsAtBlanks) {
  EXPECT_THAT(split_unit_words("  a\tb  c "), Optional(ElementsAre("a", "b", "c")));
  EXPECT_THAT(split_unit_words(" "), Optional(IsEmpty()));
}

TEST(UnitQuoting, QuotesKeepBlanksAndMayBeginWithinAWord) {
  EXPECT_THAT(split_unit_words(R"("a b" 'c "d' e"f g"h "")"), Optional(ElementsAre("a b", "c \"d", "ef gh", "")));
}

TEST(UnitQuoting, ResolvesEscapes) {
  EXPECT_THAT(split_unit_words(R"(a\sb \x41\102 \u00e4\U0001F600 "\"")"),
              Optional(ElementsAre("a b", "AB", "\u00e4\U0001F600", "\"")));
  EXPECT_EQ(unescape_unit_text(R"(  a "b\n" )"), "a \"b\n\" ");
}

TEST(UnitQuoting, KeepsEscapesOnRequest) {
  EXPECT_THAT(split_unit_words(R"("by\x2did" c\)", UnitEscapes::keep), Optional(ElementsAre("by\\x2did", "c\\")));
}

TEST(UnitQuoting, RejectsOpenQuotesAndInvalidEscapes) {
  for (const char* value : {"a \"b", "'", "a\\", "\\x4", "\\z", "\\000", "\\U00110000"}) {
    EXPECT_EQ(split_unit_words(value), std::nullopt) << value;
  }
  EXPECT_EQ(unescape_unit_text("\\"), std::nullopt);
}

TEST(UnitQuoting, TakesOneWordAndTheBlanksAroundIt) {
  std::string_view rest = " 'a b'  c d";
  EXPECT_EQ(take_unit_word(rest), "a b");
  EXPECT_EQ(rest, "c d");
}

TEST(UnitQuoting, QuotesWordsWhenNecessary) {
  EXPECT_EQ(quote_unit_word("/usr/sbin/runc"), "/usr/sbin/runc");
  EXPECT_EQ(quote_unit_word("/a b"), "\"/a b\"");
  EXPECT_EQ(quote_unit_word("/a%b$c"), "\"/a%%b$$c\"");
  EXPECT_EQ(quote_unit_word("/a\"b\\c'd"), "\"/a\\\"b\\\\c'd\"");
  EXPECT_EQ(quote_unit_word(""), "\"\"");
}

}  // namespace
}  // namespace berth::base
