// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/delete.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_directory.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/images_test.hpp"
#include "ops/images/list.hpp"
#include "ops/images/tag.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::deployments;
using test::web;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class DeleteImages : public test::ImagesTest {};

TEST_F(DeleteImages, RefusesAmbiguousIds) {
  const auto commit = open_images(context).images(false).at(0).commit;
  const std::string one = "abc" + std::string(61, '0');
  const std::string other = "abc" + std::string(61, '1');
  for (const auto& id : {one, other}) {
    machine.write(std::string(deployments) + "/.storage/ostree/refs/heads/ociimage/" + id, commit + "\n");
  }
  const auto error = error_of([&] { delete_images(context, {"abc"}, true); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.hint(), HasSubstr(other));
  EXPECT_THAT(delete_images(context, {"abc0"}, false), ElementsAre(one));
}

TEST_F(DeleteImages, DeletesAllNamesOfAnImageByItsId) {
  EXPECT_EQ(tag_image(context, "web", "registry.example/web"), "registry.example/web:latest");
  EXPECT_THAT(list_images(context, {}), SizeIs(2));
  const auto error = error_of([&] { delete_images(context, {row().id.substr(0, 6)}, false); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.message(), HasSubstr("is in use by web"));
  EXPECT_THAT(delete_images(context, {row().id.substr(0, 6)}, true), ElementsAre(web, "registry.example/web:latest"));
}

TEST_F(DeleteImages, RefusesOnlyTheLastNameOfAnImageInUse) {
  tag_image(context, "web", "registry.example/web");
  EXPECT_EQ(error_of([&] {
              delete_images(context, {web, "registry.example/web"}, false);
            }).kind(),
            ErrorKind::conflict);
  EXPECT_THAT(delete_images(context, {"registry.example/web"}, false), ElementsAre("registry.example/web:latest"));
  EXPECT_EQ(error_of([&] { delete_images(context, {web}, false); }).kind(), ErrorKind::conflict);
  tag_image(context, "web", "registry.example/web");
  EXPECT_THAT(delete_images(context, {web}, false), ElementsAre(web));
  EXPECT_EQ(error_of([&] { delete_images(context, {"registry.example/web"}, false); }).kind(), ErrorKind::conflict);
}

TEST_F(DeleteImages, DeletesNothingWhenOneNameIsUnknown) {
  EXPECT_EQ(error_of([&] { delete_images(context, {web, "localhost/no:1"}, true); }).kind(), ErrorKind::not_found);
  EXPECT_THAT(list_images(context, {}), SizeIs(1));
}

}  // namespace
}  // namespace berth::ops
