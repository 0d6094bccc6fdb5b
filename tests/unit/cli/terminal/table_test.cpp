// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/table.hpp"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

std::string printed(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows, bool heading,
                    bool truncate) {
  ::testing::internal::CaptureStdout();
  print_table(columns, rows, heading, truncate);
  return ::testing::internal::GetCapturedStdout();
}

TEST(Table, AlignsColumnsByTheirDisplayWidth) {
  EXPECT_EQ(printed({{"NAME", 0}, {"STATE", 0}}, {{"web", "running"}, {"müller", "failed"}}, true, true),
            "NAME    STATE\nweb     running\nmüller  failed\n");
}

TEST(Table, TruncatesOnRequest) {
  EXPECT_EQ(printed({{"NAME", 4}, {"X", 0}}, {{"abcdefg", "1"}}, false, true), "abc…  1\n");
  EXPECT_EQ(printed({{"NAME", 4}, {"X", 0}}, {{"abcdefg", "1"}}, false, false), "abcdefg  1\n");
}

TEST(Table, PrintsTheHeadingWithoutRows) {
  EXPECT_EQ(printed({{"NAME", 0}}, {}, true, true), "NAME\n");
}

}  // namespace
}  // namespace berth::cli
