// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/list.hpp"

#include <gtest/gtest.h>

#include "ops/images/images_test.hpp"

namespace berth::ops {
namespace {

class ImageList : public test::ImagesTest {};

TEST_F(ImageList, ShowsWhetherAContainerUsesTheImage) {
  const auto rows = list_images(context, {});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].repository, "localhost/web");
  EXPECT_EQ(rows[0].tag, "latest");
  EXPECT_TRUE(rows[0].used);
  EXPECT_EQ(rows[0].type, "system");
  EXPECT_EQ(list_images(context, {true, {}}).size(), 2U);
}

TEST_F(ImageList, FiltersMustAllMatch) {
  const auto count = [this](const std::vector<std::string>& texts) {
    ImageQuery query;
    for (const auto& text : texts) {
      query.filters.push_back(parse_filter(text, image_filter_keys));
    }
    return list_images(context, query).size();
  };
  EXPECT_EQ(count({"repo=web", "tag=latest", "type=system"}), 1U);
  EXPECT_EQ(count({"repo=web", "type=layer"}), 0U);
  EXPECT_EQ(count({"id=" + row().id.substr(0, 12)}), 1U);
}

}  // namespace
}  // namespace berth::ops
