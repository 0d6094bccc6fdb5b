// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/terminal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace berth::cli {
namespace {

TEST(HumanSize, UsesPowersOfThousand) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(999), "999 B");
  EXPECT_EQ(human_size(1500), "1.5 kB");
  EXPECT_EQ(human_size(250'000'000), "250.0 MB");
  EXPECT_EQ(human_size(1'730'000'000), "1.7 GB");
}

TEST(Fit, CutsAtColumnsNotBytes) {
  EXPECT_EQ(fit("short", 10), "short");
  EXPECT_EQ(fit("exactly", 7), "exactly");
  EXPECT_EQ(fit("too long", 4), "too…");
  EXPECT_EQ(fit("äöüß", 3), "äö…");
  EXPECT_EQ(fit("x", 0), "");
}

TEST(Fit, CountsWideAndCombiningCharacters) {
  EXPECT_EQ(columns_of("日本語"), 6U);
  EXPECT_EQ(columns_of("e\u0301te\u0301"), 3U);
  EXPECT_EQ(fit("日本語", 6), "日本語");
  EXPECT_EQ(fit("日本語", 5), "日本…");
  EXPECT_EQ(fit("日本語", 4), "日…");  // a wide character does not fit before the ellipsis
  EXPECT_EQ(fit("日本語", 1), "…");
  EXPECT_EQ(fit("e\u0301te\u0301s", 3), "e\u0301t…");
  for (std::size_t columns = 0; columns < 12; ++columns) {
    EXPECT_LE(columns_of(fit("a日e\u0301本語 wide and narrow", columns)), columns) << columns;
  }
}

TEST(Fit, ReplacesInvalidUtf8) {
  EXPECT_EQ(fit("a\xff\xc3", 10), "a??");
  EXPECT_EQ(fit("\xc2\x9b[2J", 10), "?[2J");  // a control character of two bytes
}

TEST(Fit, ReplacesControlCharacters) {
  EXPECT_EQ(fit("a\033[2Jb\n", 10), "a?[2Jb?");
}

TEST(Fit, NamesInvisibleCharacters) {
  EXPECT_EQ(fit("a\u202eb", 20), "a<U+202E>b");
  EXPECT_EQ(columns_of("a\u202eb"), 10U);
  EXPECT_EQ(fit("a\u202eb", 5), "a…");
}

TEST(WantsColor, IsFalseForAPipe) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  EXPECT_FALSE(wants_color(pipe[1], false));
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(WantsColor, IsTrueForATerminalUnlessDisabled) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ::setenv("TERM", "xterm", 1);
  ::unsetenv("NO_COLOR");
  EXPECT_TRUE(wants_color(terminal, false));
  EXPECT_FALSE(wants_color(terminal, true));
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(wants_color(terminal, false));
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(wants_color(terminal, false));
  EXPECT_EQ(terminal_size(terminal).columns, 80U);
  winsize size{};
  size.ws_col = 33;
  size.ws_row = 7;
  ASSERT_EQ(::ioctl(terminal, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(terminal_size(terminal).columns, 33U);
  EXPECT_EQ(terminal_size(terminal).rows, 7U);
  ::close(terminal);
}

}  // namespace
}  // namespace berth::cli
