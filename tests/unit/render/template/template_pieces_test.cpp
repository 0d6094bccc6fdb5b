// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/template/template_pieces.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

std::string render(const std::string& text, const Values& values) {
  return substitute(split_template(text), values);
}

TEST(TemplatePieces, SubstitutesAsPythonDoes) {
  const Values values = {{"A", "1"}, {"_b2", "two"}, {"EMPTY", ""}, {"SELF", "$A ${A} $$"}};
  EXPECT_EQ(render("$A ${A} $A.$A-x", values), "1 1 1.1-x");
  EXPECT_EQ(render("${A}B$_b2", values), "1Btwo");
  EXPECT_EQ(render("[$EMPTY]", values), "[]");
  EXPECT_EQ(render("$$A $$$A $$$$", values), "$A $1 $$");
  EXPECT_EQ(render("$SELF", values), "$A ${A} $$");
  EXPECT_EQ(render("", values), "");
}

TEST(TemplatePieces, FindsLoneDollars) {
  for (const char* text : {"$", "a$ b", "$1", "${", "${}", "${A", "${A-}", "${1}", "$-", "$\xc3\xa4", "${ A}"}) {
    const auto pieces = split_template(text);
    const auto lone = std::count_if(pieces.begin(), pieces.end(),
                                    [](const Piece& piece) { return piece.kind == PieceKind::lone_dollar; });
    EXPECT_EQ(lone, 1) << text;
  }
}

TEST(TemplatePieces, RecordTheirOffsets) {
  const auto pieces = split_template("ab${X}\n$$");
  ASSERT_EQ(pieces.size(), 4U);
  EXPECT_EQ(pieces[1].offset, 2U);
  EXPECT_EQ(pieces[1].text, "X");
  EXPECT_EQ(pieces[3].offset, 7U);
  EXPECT_EQ(pieces[3].text, "$");
}

TEST(TemplatePieces, NamesAreAscii) {
  EXPECT_TRUE(is_variable_name("_a9"));
  EXPECT_FALSE(is_variable_name(""));
  EXPECT_FALSE(is_variable_name("9a"));
  EXPECT_FALSE(is_variable_name("a\xc3\xa4"));
}

}  // namespace
}  // namespace berth::render
