// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/repair.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>

#include "base/temp_directory.hpp"
#include "host/state/lock.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/images_test.hpp"
#include "ops/images/list.hpp"
#include "ops/images/prune.hpp"
#include "ops/images/verify.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::deployments;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

class RepairImage : public test::ImagesTest {};

TEST_F(RepairImage, FetchesDamagedLayersAndRepairsContainers) {
  const auto path = deployment("web.0/rootfs/bin/server");
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { repair_image(context, "web", ""); }).kind(), ErrorKind::usage);
  const auto outcome = repair_image(context, "oci:" + (machine.directory / "web"), "");
  EXPECT_EQ(outcome.damaged, 1U);
  EXPECT_EQ(outcome.layers, 1U);
  ASSERT_THAT(outcome.mended, SizeIs(1));
  EXPECT_EQ(outcome.mended[0].container, "web");
  EXPECT_THAT(outcome.mended[0].files, ElementsAre("/bin/server"));
  EXPECT_THAT(verify().damaged, IsEmpty());
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0755U);
  EXPECT_GT(status.st_nlink, 1U);
  EXPECT_EQ(repair_image(context, "oci:" + (machine.directory / "web"), "").damaged, 0U);
}

TEST_F(RepairImage, RepairsFilesOfDeploymentsWithoutFetching) {
  machine.write(std::string(deployments) + "/web.0/rootfs/bin/other", "made by a runtime");
  fs::remove(deployment("web.0/rootfs/bin/server"));
  machine.write(std::string(deployments) + "/web.0/rootfs/bin/server", "another", 0755);
  fs::remove_all(deployment("web.0/rootfs/exports/hostfs"));
  const auto verified = verify();
  EXPECT_THAT(verified.damaged, IsEmpty());
  ASSERT_THAT(verified.deployments, SizeIs(1));
  EXPECT_EQ(verified.deployments[0].container, "web");
  EXPECT_TRUE(verified.deployments[0].live);
  EXPECT_THAT(verified.deployments[0].changed, ElementsAre("/bin/server"));
  EXPECT_THAT(verified.deployments[0].missing, ElementsAre("/exports/hostfs"));
  const auto outcome = repair_image(context, "web", "");
  EXPECT_EQ(outcome.damaged, 0U);
  EXPECT_EQ(outcome.layers, 0U);
  ASSERT_THAT(outcome.mended, SizeIs(1));
  EXPECT_THAT(outcome.mended[0].files, ElementsAre("/bin/server", "/exports/hostfs"));
  EXPECT_THAT(verify().deployments, IsEmpty());
  EXPECT_THAT(repair_image(context, "web", "").mended, IsEmpty());
  EXPECT_TRUE(fs::exists(deployment("web.0/rootfs/bin/other")));
}

TEST_F(RepairImage, WaitsForAChangeOfTheContainer) {
  fs::remove(deployment("web.0/rootfs/bin/server"));
  const auto lock = host::ContainerLock::take(machine.layout, "web", "berth update", std::chrono::seconds(0),
                                              machine.reporter, context.stop);
  EXPECT_EQ(error_of([&] { repair_image(context, "web", ""); }).kind(), ErrorKind::conflict);
}

TEST_F(RepairImage, RefusesAnotherImageOfTheSameName) {
  ASSERT_EQ(::chmod(deployment("web.0/rootfs/bin/server").c_str(), 0600), 0);
  fs::remove_all(machine.directory / "web");
  auto spec = test::full_image();
  spec.files.pop_back();
  const auto reference = machine.image("web", spec);
  EXPECT_EQ(error_of([&] { repair_image(context, reference, ""); }).kind(), ErrorKind::conflict);
}

TEST_F(RepairImage, ReplacesEveryKindOfObject) {
  const auto objects = deployment(".storage/ostree/objects");
  for (const std::string& kind : std::vector<std::string>{".dirtree", ".dirmeta", ".commit", ".file"}) {
    std::size_t cut = 0;
    for (const auto& entry : fs::recursive_directory_iterator(objects)) {
      if (entry.path().extension() == kind && entry.is_regular_file() && entry.file_size() > 1) {
        fs::resize_file(entry.path(), entry.file_size() - 1);
        ++cut;
      }
    }
    ASSERT_GT(cut, 0U) << kind;
    EXPECT_FALSE(verify().damaged.empty()) << kind;
    repair_image(context, "oci:" + (machine.directory / "web"), "");
    EXPECT_THAT(verify().damaged, IsEmpty()) << kind;
  }
}

TEST_F(RepairImage, KeepsDamagedObjectsWithoutAReplacement) {
  const auto commit = open_images(context).images(false).at(0).commit;
  const auto file = deployment(".storage/ostree/objects/" + commit.substr(0, 2) + "/" + commit.substr(2) + ".commit");
  fs::resize_file(file, fs::file_size(file) - 1);
  fs::rename(machine.directory / "web/blobs", machine.directory / "web/gone");
  EXPECT_THROW(repair_image(context, "oci:" + (machine.directory / "web"), ""), base::Error);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_THAT(verify().damaged, SizeIs(1));
  EXPECT_THAT(list_images(context, {}), SizeIs(1));
  fs::rename(machine.directory / "web/gone", machine.directory / "web/blobs");
  EXPECT_EQ(repair_image(context, "oci:" + (machine.directory / "web"), "").damaged, 1U);
  EXPECT_THAT(verify().damaged, IsEmpty());
  for (const auto& left : fs::directory_iterator(deployment(".storage/ostree/tmp"))) {
    EXPECT_EQ(left.path().filename().string().find("repair"), std::string::npos);
  }
}

TEST_F(RepairImage, ReplacesAMissingCommit) {
  const auto commit = open_images(context).images(false).at(0).commit;
  const auto file = deployment(".storage/ostree/objects/" + commit.substr(0, 2) + "/" + commit.substr(2) + ".commit");
  fs::remove(file);
  ASSERT_THAT(verify().damaged, SizeIs(1));
  EXPECT_EQ(verify().damaged[0].kind, "commit");
  EXPECT_TRUE(verify().damaged[0].missing);
  EXPECT_EQ(verify_images(context, {{"web"}, false, ""}).at(0).damaged.size(), 1U);
  prune(context, false);  // what the image needs is not known
  EXPECT_EQ(repair_image(context, "oci:" + (machine.directory / "web"), "").damaged, 1U);
  EXPECT_THAT(verify().damaged, IsEmpty());
  EXPECT_TRUE(fs::exists(file));
}

}  // namespace
}  // namespace berth::ops
