// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/usage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/images/delete.hpp"
#include "ops/images/images_test.hpp"
#include "ops/images/prune.hpp"
#include "ops/images/pull.hpp"

namespace berth::ops {
namespace {

using ::testing::SizeIs;

class DiskUsageTest : public test::ImagesTest {};

TEST_F(DiskUsageTest, AddsUp) {
  const auto usage = disk_usage(context);
  ASSERT_THAT(usage.rows, SizeIs(2));
  EXPECT_EQ(usage.rows[0].kind, "image");
  EXPECT_EQ(usage.rows[1].name, "web");
  EXPECT_GE(usage.total, usage.rows[0].own + usage.rows[1].own + usage.rows[1].shared + usage.reclaimable);
  EXPECT_EQ(usage.reclaimable, 0U);
  EXPECT_GT(usage.rows[1].own, 0U);
}

TEST_F(DiskUsageTest, ReclaimableBytesAreThoseThatAPruneFrees) {
  auto spec = test::full_image();
  spec.files[1].content = "another";
  pull(context, {machine.image("gone", spec), "", ""});
  EXPECT_EQ(disk_usage(context).reclaimable, 0U);
  delete_images(context, {"localhost/gone:latest"}, false);
  const auto reported = disk_usage(context).reclaimable;
  EXPECT_GT(reported, 0U);
  EXPECT_EQ(reported, prune(context, true).store.bytes);
  EXPECT_EQ(reported, prune(context, false).store.bytes);
  EXPECT_EQ(disk_usage(context).reclaimable, 0U);
}

}  // namespace
}  // namespace berth::ops
