#include "render/unit/unit_syntax.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

TEST(UnitSyntax, ReadsAssignmentsAsSystemdDoes) {
  const auto unit = read_unit(
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
  EXPECT_EQ(unit.assignments[2].value, "a\\\\");
  EXPECT_TRUE(unit.has_service);
}

TEST(UnitSyntax, AContinuedLineHidesASection) {
  const auto unit = read_unit("[Unit]\nDescription=a\\\n[Service]\nB=1\n");
  EXPECT_FALSE(unit.has_service);
  EXPECT_EQ(unit.assignments[0].value, "a [Service]");
}

TEST(UnitSyntax, KnowsAnOpenLastLine) {
  EXPECT_TRUE(read_unit("[Service]\nA=b\\").service_open_line);
  EXPECT_FALSE(read_unit("[Service]\nA=b\n").service_open_line);
  EXPECT_FALSE(read_unit("[Service]\nA=b\n[Install]\nC=d\\").service_open_line);
}

TEST(UnitSyntax, NothingIsPutIntoAContinuedHeading) {
  EXPECT_EQ(read_unit("[Service]\n[Install \\\n# comment\n more]\nX=1\n").service_end, 10U);
}

TEST(UnitSyntax, QuotesWordsWhenNeeded) {
  EXPECT_EQ(unit_word("/usr/sbin/runc"), "/usr/sbin/runc");
  EXPECT_EQ(unit_word("/a b"), "\"/a b\"");
  EXPECT_EQ(unit_word("/a%b$c"), "\"/a%%b$$c\"");
  EXPECT_EQ(unit_word("/a\"b\\c'd"), "\"/a\\\"b\\\\c'd\"");
  EXPECT_EQ(unit_word(""), "\"\"");
}

}  // namespace
}  // namespace berth::render
