// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/describe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "ops/images/images_test.hpp"

namespace berth::ops {
namespace {

using test::web;
using ::testing::IsEmpty;

class DescribeImage : public test::ImagesTest {};

TEST_F(DescribeImage, ReportsVariables) {
  const auto description = describe_image(context, web);
  EXPECT_EQ(description.defaults, (std::map<std::string, std::string>{{"GREETING", "hello"}, {"PORT", "80"}}));
  EXPECT_THAT(description.required, IsEmpty());
  EXPECT_THAT(description.provided, ::testing::Contains("STATE_DIRECTORY"));
}

}  // namespace
}  // namespace berth::ops
