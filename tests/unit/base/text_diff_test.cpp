// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/text_diff.hpp"

#include <gmock/gmock.h>

namespace berth::base {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(UnifiedDiff, IsEmptyForEqualTexts) {
  EXPECT_EQ(unified_diff("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(unified_diff("", ""), "");
}

TEST(UnifiedDiff, ChangedLinesWithContext) {
  EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(UnifiedDiff, DistantChangesAreSeparateHunks) {
  std::string before;
  for (int line = 0; line < 20; ++line) {
    before += std::to_string(line) + "\n";
  }
  const auto diff = unified_diff(before, "first\n" + before + "last\n");
  EXPECT_EQ(diff, "@@ -1,3 +1,4 @@\n+first\n 0\n 1\n 2\n@@ -18,3 +19,4 @@\n 17\n 18\n 19\n+last\n");
}

TEST(UnifiedDiff, FromAndToAnEmptyText) {
  EXPECT_EQ(unified_diff("", "a\n"), "@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(unified_diff("a\n", ""), "@@ -1,1 +0,0 @@\n-a\n");
}

TEST(UnifiedDiff, IgnoresAMissingLastLineFeed) {
  EXPECT_THAT(unified_diff("a\n", "a"), HasSubstr("end of the last line"));
}

TEST(UnifiedDiff, ReportsOnlyThatLargeTextsDiffer) {
  EXPECT_THAT(unified_diff(std::string(10'000, '\n'), std::string(9'999, '\n')), HasSubstr("too long"));
}

TEST(SetDifference, AddedAndRemoved) {
  const auto found = difference({"a", "b", "c"}, {"d", "c", "a"});
  EXPECT_THAT(found.added, ElementsAre("d"));
  EXPECT_THAT(found.removed, ElementsAre("b"));
  EXPECT_TRUE(difference({"a"}, {"a"}).empty());
}

}  // namespace
}  // namespace berth::base
