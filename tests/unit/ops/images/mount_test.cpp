// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/mount.hpp"

#include <gtest/gtest.h>

#include "base/temp_directory.hpp"
#include "ops/images/images_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::web;

class MountView : public test::ImagesTest {};

TEST_F(MountView, NeedsADirectoryAndAnImage) {
  EXPECT_EQ(error_of([&] { mount_view(context, web, machine.on_disk("nowhere")); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { mount_view(context, "nothing", machine.on_disk("usr")); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { unmount_view(context, machine.on_disk("usr")); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace berth::ops
