// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/pull.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/temp_directory.hpp"
#include "ops/images/images_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::web;

class Pull : public test::ImagesTest {
 protected:
  [[nodiscard]] std::string layout() const { return "oci:" + (machine.directory / "web"); }
  store::Store open_store() { return store::Store::open(store_options(context)); }
};

TEST_F(Pull, AnUnchangedImageIsNotChanged) {
  const auto result = pull(context, {layout(), "", ""});
  EXPECT_FALSE(result.changed);
  EXPECT_EQ(result.image.name, web);
}

TEST_F(Pull, AStoredImageOfARegistryIsNotFetchedAgain) {
  auto store = open_store();
  ImageFetcher fetcher(context, {web, "", ""});
  EXPECT_FALSE(fetcher.local());
  const auto present = fetcher.ensure(store);
  EXPECT_FALSE(present.fetched);
  EXPECT_EQ(present.image.id, row().id);
}

TEST_F(Pull, ALocalImageIsComparedWithTheStoredOne) {
  auto store = open_store();
  EXPECT_FALSE(ImageFetcher(context, {layout(), "", ""}).ensure(store).fetched);
  auto spec = test::full_image();
  spec.files.pop_back();
  std::filesystem::remove_all(machine.directory / "web");
  ImageFetcher fetcher(context, {machine.image("web", spec), "", ""});
  EXPECT_TRUE(fetcher.local());
  EXPECT_TRUE(fetcher.ensure(store).fetched);
}

TEST_F(Pull, TheManifestAndTheConfigurationAreReadWithoutLayers) {
  ImageFetcher fetcher(context, {layout(), "", ""});
  const auto offered = fetcher.inspect();
  EXPECT_EQ(offered.manifest.config.digest.hex(), row().id);
  EXPECT_EQ(static_cast<std::int64_t>(offered.config.size()), offered.manifest.config.size);
}

TEST_F(Pull, APlanUsesTheStoreOnlyForStoredImages) {
  const auto temporary = machine.directory / "temporary";
  store_for_plan(context, temporary, ImageFetcher(context, {web, "", ""}));
  EXPECT_FALSE(std::filesystem::exists(temporary));
  store_for_plan(context, temporary, ImageFetcher(context, {layout(), "", ""}));
  EXPECT_TRUE(std::filesystem::exists(temporary));
}

TEST_F(Pull, AMissingLayoutIsNotFound) {
  EXPECT_EQ(error_of([&] {
              pull(context, {"oci:" + (machine.directory / "nothing"), "", ""});
            }).kind(),
            ErrorKind::not_found);
}

}  // namespace
}  // namespace berth::ops
