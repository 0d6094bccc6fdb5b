// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/versions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/temp_directory.hpp"
#include "ops/images/images_test.hpp"
#include "ops/images/pull.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::web;
using ::testing::SizeIs;

class ImageVersions : public test::ImagesTest {
 protected:
  std::string version_with(const std::string& labels) {
    auto spec = test::full_image();
    spec.config = R"({"Labels":)" + labels + "}";
    std::filesystem::remove_all(machine.directory / "labelled");
    return image_versions(context, {pull(context, {machine.image("labelled", spec), "", ""}).image.name}).at(0).version;
  }
};

TEST_F(ImageVersions, AreLabels) {
  EXPECT_EQ(version_with(R"({"version":"1.2"})"), "1.2");
  EXPECT_EQ(version_with(R"({"version":"1.2","release":"3"})"), "1.2-3");
  EXPECT_EQ(version_with(R"({"Version":"1.2","Release":"3"})"), "1.2-3");
  EXPECT_EQ(version_with(R"({"release":"3"})"), "");
}

TEST_F(ImageVersions, OfAllImagesOrOfThoseNamed) {
  const auto versions = image_versions(context, {});
  ASSERT_THAT(versions, SizeIs(1));
  EXPECT_EQ(versions[0].name, web);
  EXPECT_EQ(versions[0].version, "");
  EXPECT_EQ(image_versions(context, {"web"}).at(0).id, row().id);
  EXPECT_EQ(error_of([&] { image_versions(context, {"localhost/no:1"}); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace berth::ops
