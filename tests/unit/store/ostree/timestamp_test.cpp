#include "store/ostree/timestamp.hpp"

#include <gtest/gtest.h>

namespace berth::store {
namespace {

TEST(Timestamp, ReadsRfc3339) {
  EXPECT_EQ(epoch_seconds("1970-01-01T00:00:01Z"), 1);
  EXPECT_EQ(epoch_seconds("2024-05-06T07:08:09.123456789Z"), 1'714'979'289);
  EXPECT_EQ(epoch_seconds("2024-05-06T09:08:09+02:00"), 1'714'979'289);
  EXPECT_EQ(epoch_seconds("2024-05-06T01:38:09-05:30"), 1'714'979'289);
}

TEST(Timestamp, MakesNothingOfAnythingElse) {
  for (const char* text :
       {"", "yesterday", "2024-05-06", "2024-13-06T07:08:09Z", "2024-02-30T07:08:09Z", "2024-05-06T07:08:09",
        "2024-05-06T07:08:09+2", "0001-01-01T00:00:00Z", "-024-05-06T07:08:09Z", "2024-05-06T07:08:09Zx"}) {
    EXPECT_EQ(epoch_seconds(text), 0) << text;
  }
}

}  // namespace
}  // namespace berth::store
