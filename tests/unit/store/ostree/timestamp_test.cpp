// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/timestamp.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace berth::store {
namespace {

TEST(Timestamp, ReadsRfc3339) {
  EXPECT_EQ(epoch_seconds("1970-01-01T00:00:01Z"), 1);
  EXPECT_EQ(epoch_seconds("2024-05-06T07:08:09.123456789Z"), 1'714'979'289);
  EXPECT_EQ(epoch_seconds("2024-05-06T07:08:09.999999999Z"), 1'714'979'289);
  EXPECT_EQ(epoch_seconds("2024-05-06T09:08:09+02:00"), 1'714'979'289);
  EXPECT_EQ(epoch_seconds("2024-05-06T01:38:09-05:30"), 1'714'979'289);
  EXPECT_EQ(epoch_seconds("2024-05-06 07:08:09Z"), 1'714'979'289);
  EXPECT_EQ(epoch_seconds("2024-05-06T07:08:09z"), 1'714'979'289);
  EXPECT_EQ(epoch_seconds("2024-05-06T07:08:09.99999999999999999999999Z"), 1'714'979'289);
  EXPECT_EQ(epoch_seconds("2024-05-06T09:08:09.5+02:00"), 1'714'979'289);
}

TEST(Timestamp, IsZeroForOtherText) {
  for (const std::string_view text :
       {std::string_view(""), std::string_view("yesterday"), std::string_view("2024-05-06"),
        std::string_view("2024-13-06T07:08:09Z"), std::string_view("2024-02-30T07:08:09Z"),
        std::string_view("2024-05-06T25:08:09Z"), std::string_view("2024-05-06T07:08:09"),
        std::string_view("2024-05-06T07:08:09+2"), std::string_view("0001-01-01T00:00:00Z"),
        std::string_view("-024-05-06T07:08:09Z"), std::string_view("2024-05-06T07:08:09Zx"),
        std::string_view("2024-05-06T07:08:09Z\0", 21)}) {
    EXPECT_EQ(epoch_seconds(text), 0) << text;
  }
}

}  // namespace
}  // namespace berth::store
