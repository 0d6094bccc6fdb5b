// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/prune.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <iterator>

#include "base/file.hpp"
#include "base/temp_directory.hpp"
#include "ops/change/recover.hpp"
#include "ops/images/delete.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/images_test.hpp"
#include "ops/images/repair.hpp"
#include "ops/images/usage.hpp"
#include "ops/images/verify.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::deployments;
using test::Machine;
using test::web;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

class Prune : public test::ImagesTest {};

TEST_F(Prune, KeepsTheObjectsOfBothDeployments) {
  delete_images(context, {web}, true);
  prune(context, false);
  EXPECT_THAT(verify().damaged, IsEmpty());
  fs::rename(deployment("web.0"), deployment("web.1"));  // as the other slot, not live
  fs::remove(deployment("web"));
  fs::create_symlink("web.0", deployment("web"));
  prune(context, false);
  EXPECT_EQ(commits_in_use(deployments_in_use(context)).size(), 1U);
  EXPECT_THAT(verify().damaged, IsEmpty());
}

TEST_F(Prune, RemovesDeploymentsWithoutLinkAndUnit) {
  fs::remove(deployment("web"));
  EXPECT_THAT(prune(context, true).directories, IsEmpty()) << "the unit is still there: uninstall ends it in order";
  fs::remove(machine.on_disk("etc/systemd/system/web.service"));
  EXPECT_THAT(prune(context, true).directories, ElementsAre(deployment("web.0")));
  EXPECT_TRUE(fs::exists(deployment("web.0")));
  prune(context, false);
  EXPECT_FALSE(fs::exists(deployment("web.0")));
}

TEST_F(Prune, ReportsADamagedInfoAndKeepsTheFilesOfTheDeployment) {
  delete_images(context, {web}, true);
  machine.write(std::string(deployments) + "/web.0/info", "nonsense");
  prune(context, false);
  EXPECT_FALSE(machine.reporter.warnings.empty());
  EXPECT_TRUE(fs::exists(deployment("web.0/rootfs/bin/server")));
}

TEST_F(Prune, DoesNothingWithoutAStore) {
  Machine empty;
  auto other = empty.context();
  EXPECT_EQ(prune(other, false).store.objects, 0U);
  EXPECT_EQ(disk_usage(other).total, 0U);
  EXPECT_EQ(error_of([&] { verify_images(other, {}); }).kind(), ErrorKind::not_found);
}

TEST_F(Prune, KeepsAllObjectsWhileADeploymentIsDamaged) {
  delete_images(context, {web}, true);
  prune(context, false);
  const auto count = [this] {
    return std::distance(fs::recursive_directory_iterator(deployment(".storage/ostree/objects")),
                         fs::recursive_directory_iterator());
  };
  const auto before = count();
  const auto info = base::read_file_at(AT_FDCWD, deployment("web.0/info"), 100'000).value();
  const auto at = info.find("\"ostree-commit\": \"") + 18;
  auto flipped = info;
  flipped[at] = flipped[at] == '0' ? '1' : '0';
  for (const auto& text : {std::string("nonsense"), std::string(), flipped}) {
    machine.write(std::string(deployments) + "/web.0/info", text);
    prune(context, false);
    EXPECT_EQ(count(), before) << text;
    const auto verified = verify_images(context, {{}, false, ""});
    ASSERT_THAT(verified, SizeIs(1));
    EXPECT_THAT(verified[0].deployments[0].path, HasSubstr("web.0"));
    EXPECT_FALSE(verified[0].deployments[0].reason.empty());
  }
}

TEST_F(Prune, RemovesLeftoversOfAKilledCommandInTheRepository) {
  const auto left = deployment(".storage/ostree/tmp/berth-repair-4194305");
  const auto staging = deployment(".storage/ostree/tmp/staging-berth-repair-4194305");
  for (const auto& remove : {std::function<void()>([this] { recover_all(context); }),
                             std::function<void()>([this] { prune(context, false); }),
                             std::function<void()>([this] { repair_image(context, "web", ""); })}) {
    fs::create_directories(left + "/objects");
    fs::create_directories(staging + "/objects");
    remove();
    EXPECT_FALSE(fs::exists(left));
    EXPECT_FALSE(fs::exists(staging));
  }
}

TEST_F(Prune, RemovesRecordsOfViewsThatAreNotMounted) {
  machine.write(std::string(deployments) + "/.mounts/some/info", R"({"image":"x","mounted-at":"/mnt"})");
  EXPECT_THAT(prune(context, true).directories, ElementsAre(deployment(".mounts/some")));
  prune(context, false);
  EXPECT_FALSE(fs::exists(deployment(".mounts/some")));
}

}  // namespace
}  // namespace berth::ops
