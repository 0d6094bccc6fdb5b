// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/tag.hpp"

#include <gtest/gtest.h>

#include "base/temp_directory.hpp"
#include "ops/images/images_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::web;

class TagImage : public test::ImagesTest {};

TEST_F(TagImage, RefusesNamesWithDigests) {
  const auto name = "registry.example/web@sha256:" + std::string(64, 'a');
  EXPECT_EQ(error_of([&] { tag_image(context, web, name); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace berth::ops
