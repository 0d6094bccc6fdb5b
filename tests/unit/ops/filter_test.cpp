// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/filter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_directory.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using ::testing::HasSubstr;

const std::vector<std::string> keys = {"name", "state"};

TEST(Filter, IsAKeyAndAValue) {
  const auto filter = parse_filter("name=a=b", keys);
  EXPECT_EQ(filter.key, "name");
  EXPECT_EQ(filter.value, "a=b");
}

TEST(Filter, AnUnknownKeyIsAUsageErrorThatNamesTheKeys) {
  const auto unknown = error_of([] { parse_filter("colour=red", keys); });
  EXPECT_EQ(unknown.kind(), ErrorKind::usage);
  EXPECT_THAT(unknown.message(), HasSubstr("colour"));
  EXPECT_THAT(unknown.hint(), HasSubstr("name state"));
}

TEST(Filter, ATextWithoutAnEqualsSignIsAUsageError) {
  EXPECT_EQ(error_of([] { parse_filter("state", keys); }).kind(), ErrorKind::usage);
}

TEST(Filter, AllFiltersMustMatchAPartOfTheirField) {
  const auto field = [](const std::string& key) { return std::string(key == "name" ? "web" : "running"); };
  EXPECT_TRUE(match_all({}, field));
  EXPECT_TRUE(match_all({{"name", "we"}, {"state", "run"}}, field));
  EXPECT_FALSE(match_all({{"name", "we"}, {"state", "failed"}}, field));
}

}  // namespace
}  // namespace berth::ops
