// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/timestamp.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <ctime>

namespace berth::ops {
namespace {

TEST(Timestamp, IsRfc3339InUtc) {
  EXPECT_EQ(rfc3339(1714979289), "2024-05-06T07:08:09Z");
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
}

TEST(Timestamp, MinuteIsInLocalTime) {
  ::setenv("TZ", "TEST-2", 1);
  ::tzset();
  EXPECT_EQ(local_minute(1714979289), "2024-05-06 09:08");
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace berth::ops
