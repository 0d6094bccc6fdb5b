// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/time_spec.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "base/error.hpp"

namespace berth::cli {
namespace {

constexpr std::int64_t now = 1'762'157'692;  // 2025-11-03 08:14:52 UTC

class TimeSpec : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC-1", 1);  // one hour east of Greenwich
    ::tzset();
  }
  void TearDown() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

TEST_F(TimeSpec, ParsesSpans) {
  EXPECT_EQ(parse_time_spec("90s", now), now - 90);
  EXPECT_EQ(parse_time_spec("-10min", now), now - 600);
  EXPECT_EQ(parse_time_spec("1h30m", now), now - 5400);
  EXPECT_EQ(parse_time_spec("1h 30 min", now), now - 5400);
  EXPECT_EQ(parse_time_spec("2 days ago", now), now - 2 * 86400);
}

TEST_F(TimeSpec, ParsesLocalDatesAndTimes) {
  EXPECT_EQ(parse_time_spec("2025-11-03 09:14:52", now), now);
  EXPECT_EQ(parse_time_spec("2025-11-03T09:14", now), now - 52);
  EXPECT_EQ(parse_time_spec("2025-11-03T08:14:52Z", now), now);
  EXPECT_EQ(parse_time_spec("09:14", now), now - 52);
  EXPECT_EQ(parse_time_spec("2025-11-03", now), parse_time_spec("today", now));
  EXPECT_EQ(parse_time_spec("2025-11-02", now), parse_time_spec("yesterday", now));
}

TEST_F(TimeSpec, ParsesNowAndEpochSeconds) {
  EXPECT_EQ(parse_time_spec("now", now), now);
  EXPECT_EQ(parse_time_spec("@17", now), 17);
}

TEST_F(TimeSpec, RefusesOtherTextWithExamples) {
  for (const char* text : {"", "-", "10", "@", "@x", "@1x", "soon", "10parsecs", "2025-13-01", "99999999999999999999s",
                           "9999999999w", "1h30", " ago", "2025-11-03x"}) {
    try {
      parse_time_spec(text, now);
      ADD_FAILURE() << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::usage) << text;
      EXPECT_NE(error.hint().find("yesterday"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace berth::cli
