// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/image_lookup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_directory.hpp"
#include "ops/images/delete.hpp"
#include "ops/images/images_test.hpp"
#include "ops/images/list.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::web;
using ::testing::IsEmpty;

class ImageLookup : public test::ImagesTest {};

TEST_F(ImageLookup, FindsImagesByNameIdAndContainer) {
  const auto store = open_images(context);
  const auto id = row().id;
  for (const auto& text : {std::string(web), id, id.substr(0, 5), std::string("web")}) {
    EXPECT_EQ(choose_image(context, store, text).id, id) << text;
  }
  for (const std::string& text : std::vector<std::string>{"localhost/other:1", "ab", "zzz", "other", ""}) {
    EXPECT_EQ(error_of([&] { choose_image(context, store, text); }).kind(), ErrorKind::not_found) << text;
  }
}

TEST_F(ImageLookup, FindsTheImageOfAContainerAfterItsNameWasDeleted) {
  const auto id = row().id;
  delete_images(context, {web}, true);
  EXPECT_EQ(choose_image(context, open_images(context), "web").id, id);
  EXPECT_THAT(list_images(context, {}), IsEmpty());
}

}  // namespace
}  // namespace berth::ops
