// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/shown_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace berth::base {
namespace {

TEST(ShownText, KeepsOrdinaryText) {
  const std::string text = "plain\ttext\nwith ä, 日本語, e\u0301 and \U0001F44D\uFE0F\n";
  EXPECT_EQ(shown_text(text), text);
  EXPECT_EQ(shown_line("a\tb\nc"), "a\\tb\\nc");
}

TEST(ShownText, ReplacesControlCharacters) {
  EXPECT_EQ(shown_text("a\x1b[2Jb\rc\x07\x7f"), "a?[2Jb?c??");
  EXPECT_EQ(shown_text(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(shown_text("\xc2\x9b[2J\xc2\x85x"), "?[2J?x");  // CSI and NEL as two bytes
}

TEST(ShownText, ReplacesInvalidUtf8) {
  EXPECT_EQ(shown_text("\xff\x9b[2J"), "??[2J");
  EXPECT_EQ(shown_text("\xc0\x9b"), "??");            // an overlong ESC
  EXPECT_EQ(shown_text("\xe0\x80\x9b"), "???");       // the same, longer
  EXPECT_EQ(shown_text("\xed\xa0\x80"), "???");       // half a surrogate pair
  EXPECT_EQ(shown_text("\xf4\x90\x80\x80"), "????");  // beyond Unicode
  EXPECT_EQ(shown_text("x\xe2\x82"), "x??");          // cut off
}

TEST(ShownText, NamesInvisibleCharacters) {
  EXPECT_EQ(shown_text("a\u202eb\u2066c"), "a<U+202E>b<U+2066>c");
  EXPECT_EQ(shown_line("root\u200b \u2028x\U000e0041"), "root<U+200B> <U+2028>x<U+E0041>");
}

TEST(QuotedName, ShowsTheBytesOfHostileNames) {
  EXPECT_EQ(quoted_name("plain"), "'plain'");
  EXPECT_EQ(quoted_name("\x1b[31m\n"), "'\\x1b[31m\\x0a'");
  EXPECT_EQ(quoted_name("größe"), "'größe'");
  EXPECT_EQ(quoted_name("caf\xe9"), "'caf\\xe9'");
  EXPECT_EQ(quoted_name("\xc2\x9b"), "'\\xc2\\x9b'");  // CSI: both bytes, since some terminals act on the second alone
  EXPECT_EQ(quoted_name("\xc2\xa0"), "'\xc2\xa0'");
  EXPECT_LT(quoted_name(std::string(5000, 'x')).size(), 210U);
}

TEST(Indented, MovesEachLine) {
  EXPECT_EQ(indented("one\n  two\n\n"), "  one\n    two");
  EXPECT_EQ(indented("one"), "  one");
}

TEST(FindControl, FindsAllExceptTabAndLineBreak) {
  EXPECT_EQ(find_control("a\tb\nc ä\u202e"), std::string_view::npos);
  EXPECT_EQ(find_control("ab\r\n"), 2U);
  EXPECT_EQ(find_control("ä\x1b"), 2U);
  EXPECT_EQ(find_control("a\u0085"), 1U);
  EXPECT_EQ(find_control("a\x7f"), 1U);
  EXPECT_EQ(control_name("a\r", 1), "a carriage return");
  EXPECT_EQ(control_name("a\u0085", 1), "the control character U+0085");
}

}  // namespace
}  // namespace berth::base
