// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/unit_syntax.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace berth::base {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// `[SECTION]KEY=VALUE` of each assignment.
std::vector<std::string> assignments_of(std::string_view text) {
  std::vector<std::string> result;
  for (const auto& [section, key, value, line] : parse_unit(text).assignments) {
    result.push_back("[" + section + "]" + key + "=" + value);
  }
  return result;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    lines.emplace_back(take_line(text));
  }
  return lines;
}

TEST(ParseUnit, ReadsAssignmentsAsSystemdDoes) {
  const auto unit = parse_unit(
      "# [Service]\n"
      " [Unit] \n"
      "Description = a b \n"
      "[Service]\r\n"
      "; Delegate=no\n"
      "ExecStart=/bin/a \\\n"
      "# comment inside\n"
      "  -b\n"
      "Two=a\\\\\n"
      "nonsense\n");
  ASSERT_EQ(unit.assignments.size(), 3U);
  EXPECT_EQ(unit.assignments[0].section, "Unit");
  EXPECT_EQ(unit.assignments[0].key, "Description");
  EXPECT_EQ(unit.assignments[0].value, "a b");
  EXPECT_EQ(unit.assignments[1].section, "Service");
  EXPECT_EQ(unit.assignments[1].value, "/bin/a    -b");
  EXPECT_EQ(unit.assignments[1].line, 6U);
  EXPECT_EQ(unit.assignments[2].value, "a\\\\");
  EXPECT_TRUE(unit.has_service);
}

TEST(ParseUnit, AnOddNumberOfBackslashesContinuesALine) {
  EXPECT_THAT(assignments_of("[S]\nA=x\\\nB=1\n"), ElementsAre("[S]A=x B=1"));
  EXPECT_THAT(assignments_of("[S]\nA=x\\\\\nB=1\n"), ElementsAre("[S]A=x\\\\", "[S]B=1"));
  EXPECT_THAT(assignments_of("[S]\nA=x\\\\\\\nB=1\n"), ElementsAre("[S]A=x\\\\ B=1"));
}

TEST(ParseUnit, ABackslashBeforeABlankContinuesNothing) {
  EXPECT_THAT(assignments_of("[S]\nA=x\\ \nB=1\n"), ElementsAre("[S]A=x\\", "[S]B=1"));
}

TEST(ParseUnit, ABlankLineEndsAContinuedLineAndACommentDoesNot) {
  EXPECT_THAT(assignments_of("[S]\nA=x\\\n\nB=1\n"), ElementsAre("[S]A=x", "[S]B=1"));
  EXPECT_THAT(assignments_of("[S]\nA=x\\\n # c\\\n;c\ny\n"), ElementsAre("[S]A=x y"));
  EXPECT_THAT(assignments_of("[S]\n# c\\\nA=x\n"), ElementsAre("[S]A=x"));
}

TEST(ParseUnit, AContinuedLineHidesASectionHeader) {
  const auto unit = parse_unit("[Unit]\nDescription=a\\\n[Service]\nB=1\n");
  EXPECT_FALSE(unit.has_service);
  EXPECT_EQ(unit.assignments[0].value, "a [Service]");
}

TEST(ParseUnit, IgnoresWhatIsNoAssignment) {
  EXPECT_THAT(assignments_of("[S]\n=x\nnonsense\n[S=x\n"), IsEmpty());
}

TEST(ParseUnit, DropsTheFirstByteOrderMark) {
  EXPECT_THAT(assignments_of("\uFEFF[S]\n\uFEFFA=x\n"), ElementsAre("[S]\uFEFFA=x"));
  EXPECT_THAT(assignments_of("[S]\n\uFEFFA=x\n"), ElementsAre("[S]A=x"));
}

TEST(ParseUnit, ReportsWhereAServiceSettingCanBeAdded) {
  EXPECT_TRUE(parse_unit("[Service]\nA=b\\").service_open_line);
  EXPECT_FALSE(parse_unit("[Service]\nA=b\n").service_open_line);
  EXPECT_FALSE(parse_unit("[Service]\nA=b\n[Install]\nC=d\\").service_open_line);
  EXPECT_EQ(parse_unit("[Service]\n[Install \\\n# comment\n more]\nX=1\n").service_end, 10U);
}

TEST(ParseUnit, ACarriageReturnEndsAComment) {
  EXPECT_THAT(assignments_of("[Service]\n# comment\rExecStartPre=/bin/touch /x\nA=b\\\r\nc\n"),
              ElementsAre("[Service]ExecStartPre=/bin/touch /x", "[Service]A=b c"));
}

TEST(TakeLine, EndsLinesWhereSystemdEndsThem) {
  EXPECT_THAT(lines_of("a\nb\r\nc\n\rd\re"), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(lines_of("a\n\nb\r\rc\r\n\r\nd\n"), ElementsAre("a", "", "b", "", "c", "", "d"));
  EXPECT_THAT(lines_of(std::string_view("a\0b", 3)), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace berth::base
