// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/update.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_directory.hpp"
#include "ops/images/images_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using ::testing::SizeIs;

class UpdateImages : public test::ImagesTest {};

TEST_F(UpdateImages, SkipsImagesWithoutARegistry) {
  const auto updates = update_images(context, {});
  ASSERT_THAT(updates, SizeIs(1));
  EXPECT_EQ(updates[0].status, "skipped");
  EXPECT_EQ(error_of([&] { update_images(context, {{"localhost/no:1"}, ""}); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace berth::ops
