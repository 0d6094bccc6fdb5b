#include "render/unit/plain_text.hpp"

#include "render/support.hpp"
#include "render/unit/tmpfiles_check.hpp"
#include "render/unit/unit.hpp"
#include "render/unit/unit_syntax.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    lines.emplace_back(take_line(text));
  }
  return lines;
}

TEST(TakeLine, EndsWhereSystemdEndsLines) {
  EXPECT_THAT(lines_of("a\nb\r\nc\n\rd\re"), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(lines_of("a\n\nb\r\rc\r\n\r\nd\n"), ElementsAre("a", "", "b", "", "c", "", "d"));
  EXPECT_THAT(lines_of(std::string_view("a\0b", 3)), ElementsAre("a", "b"));
}

TEST(TakeLine, ReadersOfUnitsAndTmpfilesSeeWhatACarriageReturnBegins) {
  const auto unit = read_unit("[Service]\n# comment\rExecStartPre=/bin/touch /x\nA=b\\\r\nc\n");
  ASSERT_EQ(unit.assignments.size(), 2U);
  EXPECT_EQ(unit.assignments[0].key, "ExecStartPre");
  EXPECT_EQ(unit.assignments[1].value, "b c");
  EXPECT_THAT(created_tmpfiles_paths("# comment\rd /run/x\n"), ElementsAre("/run/x"));
  EXPECT_EQ(check_tmpfiles("# comment\rnonsense\n", "f").size(), 1U);
}

TEST(RefuseControlCharacters, NamesLineAndCharacter) {
  EXPECT_NO_THROW(refuse_control_characters("a\tb\nä\u202e", "f"));
  const auto carriage_return = error_of([] { refuse_control_characters("a\n# b\rExecStartPre=/x", "f"); });
  EXPECT_EQ(carriage_return.message(), "f:2: there is a carriage return in it");
  EXPECT_THAT(carriage_return.hint(), HasSubstr("line ends of Unix"));
  for (const char* text : {"\x1b[2J", "\x7f", "\u0085", "\u009b", "\b"}) {
    EXPECT_EQ(error_of([&] { refuse_control_characters(text, "f"); }).kind(), base::ErrorKind::verification);
  }
}

TEST(RefuseControlCharacters, AByteOrderMarkBeforeALine) {
  EXPECT_NO_THROW(refuse_control_characters("A=a\uFEFFb\n", "f"));
  EXPECT_EQ(error_of([] { refuse_control_characters("[Service]\n\uFEFFExecStartPre=/x\n", "f"); }).message(),
            "f:2: there is a byte order mark in it");
  EXPECT_EQ(error_of([] { refuse_control_characters("\uFEFF[Service]\n", "f"); }).kind(),
            base::ErrorKind::verification);
}

TEST(RefuseControlCharacters, AsSingleBytesToo) {
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
            "f:2: there is the byte 0x9B in it, which some terminals take for a control character");
  EXPECT_THROW(refuse_control_characters("\xE2\x82", "f"), base::Error);
}

TEST(RefuseControlCharacters, InKeysAndStringsOfADocument) {
  const auto refusal = [](const char* text) {
    const auto document = base::parse_json(text, "f");
    return error_of([&] { refuse_control_characters(base::JsonView(document, "f")); }).message();
  };
  EXPECT_THAT(refusal(R"({"a": [{"b": "x\u001b[2J"}]})"), HasSubstr("a[0].b: there is the control character U+001B"));
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

}  // namespace
}  // namespace berth::render
