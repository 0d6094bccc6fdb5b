// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/plain_text.hpp"

#include "base/json.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::HasSubstr;

TEST(RefuseControlCharacters, NamesLineAndCharacter) {
  EXPECT_NO_THROW(refuse_control_characters("a\tb\nä\u202e", "f"));
  const auto carriage_return = error_of([] { refuse_control_characters("a\n# b\rExecStartPre=/x", "f"); });
  EXPECT_EQ(carriage_return.message(), "f:2: contains a carriage return");
  EXPECT_THAT(carriage_return.hint(), HasSubstr("Unix line endings"));
  for (const char* text : {"\x1b[2J", "\x7f", "\u0085", "\u009b", "\b"}) {
    EXPECT_EQ(error_of([&] { refuse_control_characters(text, "f"); }).kind(), base::ErrorKind::verification);
  }
}

TEST(RefuseControlCharacters, RefusesAByteOrderMarkBeforeALine) {
  EXPECT_NO_THROW(refuse_control_characters("A=a\uFEFFb\n", "f"));
  EXPECT_EQ(error_of([] { refuse_control_characters("[Service]\n\uFEFFExecStartPre=/x\n", "f"); }).message(),
            "f:2: contains a byte order mark");
  EXPECT_EQ(error_of([] { refuse_control_characters("\uFEFF[Service]\n", "f"); }).kind(),
            base::ErrorKind::verification);
}

TEST(RefuseControlCharacters, RefusesThemAsSingleBytes) {
  EXPECT_NO_THROW(
      refuse_control_characters("# Gr\xF6\xDF"
                                "e, \u20AC, \U0001F600\n",
                                "f"));  // Latin 1
  EXPECT_EQ(error_of([] {
              refuse_control_characters(
                  "a\n# \x9B"
                  "2J\n",
                  "f");
            }).message(),
            "f:2: contains the byte 0x9B, which some terminals take for a control character");
  EXPECT_THROW(refuse_control_characters("\xE2\x82", "f"), base::Error);
}

TEST(RefuseControlCharacters, ChecksKeysAndStringsOfADocument) {
  const auto refusal = [](const char* text) {
    const auto document = base::parse_json(text, "f");
    return error_of([&] { refuse_control_characters(base::JsonView(document, "f")); }).message();
  };
  EXPECT_THAT(refusal(R"({"a": [{"b": "x\u001b[2J"}]})"),
              HasSubstr("a[0].b: `x?[2J` contains the control character U+001B"));
  EXPECT_THAT(refusal(R"({"a\r": 1})"), HasSubstr("a carriage return"));
}

TEST(PlainText, PositionsCountFromOne) {
  const std::string text = "ab\ncd\n";
  EXPECT_EQ(position_of(text, 0).line, 1U);
  EXPECT_EQ(position_of(text, 0).column, 1U);
  EXPECT_EQ(position_of(text, 4).line, 2U);
  EXPECT_EQ(position_of(text, 4).column, 2U);
  EXPECT_EQ(position_of(text, 6).line, 3U);
}

TEST(PlainText, LinesCountFromOne) {
  EXPECT_EQ(line_of("a\nb\nc", "a"), 1U);
  EXPECT_EQ(line_of("a\nb\nc", "c"), 3U);
  EXPECT_EQ(line_of("a\nb\nc", "d"), 0U);
  EXPECT_EQ(line_of("a", ""), 0U);
}

}  // namespace
}  // namespace berth::render
