// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/images/images_test.hpp"

namespace berth::ops {
namespace {

using test::web;
using ::testing::SizeIs;

class ImageHistory : public test::ImagesTest {};

TEST_F(ImageHistory, IncludesLayersThatTheConfigurationDoesNotMention) {
  const auto entries = image_history(context, web);
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].created_by, "");
  EXPECT_FALSE(entries[0].layer.empty());
}

}  // namespace
}  // namespace berth::ops
