// What is done to images: names, prune, views, verify and repair.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "base/file.hpp"
#include "base/reporter.hpp"
#include "base/temp_directory.hpp"
#include "host/state/lock.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/query.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/image_change.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/image_query.hpp"
#include "ops/images/mount.hpp"
#include "ops/images/pull.hpp"
#include "ops/images/repair.hpp"
#include "ops/images/usage.hpp"
#include "ops/images/verify.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::Machine;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

constexpr const char* deployments = "var/lib/containers/berth";
constexpr const char* web = "localhost/web:latest";

class Images : public ::testing::Test {
 protected:
  void SetUp() override {
    InstallRequest request;
    request.image = machine.image("web", test::full_image());
    request.name = "web";
    install(context, request);
  }
  [[nodiscard]] std::string deployment(const std::string& path) const {
    return machine.on_disk(std::string(deployments) + "/" + path);
  }
  /// The only image there is.
  [[nodiscard]] ImageRow row() { return list_images(context, {}).at(0); }
  VerifiedImage verify() { return verify_images(context, {{}, false, ""}).at(0); }

  Machine machine;
  Context context = machine.context();
};

TEST_F(Images, AreChosenByNameIdAndContainer) {
  const auto store = open_images(context);
  const auto id = row().id;
  for (const auto& text : {std::string(web), id, id.substr(0, 5), std::string("web")}) {
    EXPECT_EQ(choose_image(context, store, text).id, id) << text;
  }
  for (const std::string& text : std::vector<std::string>{"localhost/other:1", "ab", "zzz", "other", ""}) {
    EXPECT_EQ(error_of([&] { choose_image(context, store, text); }).kind(), ErrorKind::not_found) << text;
  }
}

TEST_F(Images, AContainerFindsItsImageWhenTheNameIsGone) {
  const auto id = row().id;
  delete_images(context, {web}, true);
  EXPECT_EQ(choose_image(context, open_images(context), "web").id, id);
  EXPECT_THAT(list_images(context, {}), IsEmpty());
}

TEST_F(Images, BeginningsOfSeveralIdsAreRefused) {
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

TEST_F(Images, AllTagsOfOneImageGoByItsId) {
  EXPECT_EQ(tag_image(context, "web", "registry.example/web"), "registry.example/web:latest");
  EXPECT_THAT(list_images(context, {}), SizeIs(2));
  const auto error = error_of([&] { delete_images(context, {row().id.substr(0, 6)}, false); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.message(), HasSubstr("is in use by web"));
  EXPECT_THAT(delete_images(context, {row().id.substr(0, 6)}, true), ElementsAre(web, "registry.example/web:latest"));
}

TEST_F(Images, OnlyTheLastNameOfAnImageInUseIsRefused) {
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

TEST_F(Images, NothingIsDeletedWhenOneIsUnknown) {
  EXPECT_EQ(error_of([&] { delete_images(context, {web, "localhost/no:1"}, true); }).kind(), ErrorKind::not_found);
  EXPECT_THAT(list_images(context, {}), SizeIs(1));
}

TEST_F(Images, NamesWithDigestsCannotBeGiven) {
  const auto name = "registry.example/web@sha256:" + std::string(64, 'a');
  EXPECT_EQ(error_of([&] { tag_image(context, web, name); }).kind(), ErrorKind::usage);
}

TEST_F(Images, PruneKeepsWhatBothDeploymentsNeed) {
  delete_images(context, {web}, true);
  prune(context, false);
  EXPECT_THAT(verify().damaged, IsEmpty());
  fs::rename(deployment("web.0"), deployment("web.1"));  // as the other slot, not live
  fs::remove(deployment("web"));
  fs::create_symlink("web.0", deployment("web"));
  prune(context, false);
  EXPECT_EQ(commits_in_use(context).size(), 1U);
  EXPECT_THAT(verify().damaged, IsEmpty());
}

TEST_F(Images, PruneRemovesDeploymentsWithoutLinkAndUnit) {
  fs::remove(deployment("web"));
  EXPECT_THAT(prune(context, true).directories, IsEmpty()) << "the unit is still there: uninstall ends it in order";
  fs::remove(machine.on_disk("etc/systemd/system/web.service"));
  EXPECT_THAT(prune(context, true).directories, ElementsAre(deployment("web.0")));
  EXPECT_TRUE(fs::exists(deployment("web.0")));
  prune(context, false);
  EXPECT_FALSE(fs::exists(deployment("web.0")));
}

TEST_F(Images, AnInfoThatCannotBeReadIsReportedAndCostsNoFile) {
  delete_images(context, {web}, true);
  machine.write(std::string(deployments) + "/web.0/info", "nonsense");
  prune(context, false);
  EXPECT_FALSE(machine.reporter.warnings.empty());
  EXPECT_TRUE(fs::exists(deployment("web.0/rootfs/bin/server")));
}

TEST_F(Images, PruneWithoutAnythingDoesNothing) {
  Machine empty;
  auto other = empty.context();
  EXPECT_EQ(prune(other, false).store.objects, 0U);
  EXPECT_EQ(disk_usage(other).total, 0U);
  EXPECT_EQ(error_of([&] { verify_images(other, {}); }).kind(), ErrorKind::not_found);
}

TEST_F(Images, VerifyNamesPathsAndContainers) {
  ASSERT_EQ(::chmod(deployment("web.0/rootfs/bin/server").c_str(), 0600), 0);
  const auto verified = verify();
  ASSERT_THAT(verified.damaged, SizeIs(1));
  EXPECT_THAT(verified.damaged[0].paths, ElementsAre("/bin/server"));
  EXPECT_THAT(verified.damaged[0].containers, ElementsAre("web"));
  EXPECT_EQ(verified.remote, RemoteState::not_asked);
  EXPECT_EQ(verify_images(context, {{web}, true, ""}).at(0).remote, RemoteState::none);
}

TEST_F(Images, RepairFetchesAndMends) {
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

TEST_F(Images, DamagedFilesOfDeploymentsAreNamedAndMendedWithoutFetching) {
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

TEST_F(Images, DamageOfADeploymentWhoseObjectCameAnewIsFound) {
  const auto server = deployment("web.0/rootfs/bin/server");
  fs::copy_file(server, server + ".old");  // as after an uninstall, a prune and a pull: the same bytes, another inode
  fs::rename(server + ".old", server);
  EXPECT_THAT(verify().deployments, IsEmpty());
  ASSERT_EQ(::chmod(server.c_str(), 0600), 0);
  EXPECT_THAT(verify().damaged, IsEmpty());
  EXPECT_THAT(verify().deployments, SizeIs(1));
}

TEST_F(Images, ADeploymentThatIsOnItsWayOutIsNotDamaged) {
  fs::remove(deployment("web.0/rootfs/bin/server"));
  fs::remove(deployment("web"));  // uninstall removes the link first
  EXPECT_THAT(verify().deployments, IsEmpty());
}

TEST_F(Images, RepairWaitsForWhoeverChangesTheContainer) {
  fs::remove(deployment("web.0/rootfs/bin/server"));
  const auto lock = host::ContainerLock::take(machine.layout, "web", "berth update", std::chrono::seconds(0),
                                              machine.reporter, context.stop);
  EXPECT_EQ(error_of([&] { repair_image(context, "web", ""); }).kind(), ErrorKind::conflict);
}

TEST_F(Images, RepairRefusesAnotherImageOfTheName) {
  ASSERT_EQ(::chmod(deployment("web.0/rootfs/bin/server").c_str(), 0600), 0);
  fs::remove_all(machine.directory / "web");
  auto spec = test::full_image();
  spec.files.pop_back();
  const auto reference = machine.image("web", spec);
  EXPECT_EQ(error_of([&] { repair_image(context, reference, ""); }).kind(), ErrorKind::conflict);
}

TEST_F(Images, RepairRebuildsEveryKindOfObject) {
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

TEST_F(Images, ARepairWithoutAReplacementDestroysNothing) {
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

TEST_F(Images, AMissingCommitIsFoundAndMended) {
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

TEST_F(Images, ADamagedBranchConcernsNoOther) {
  auto spec = test::full_image();
  spec.files.pop_back();
  const auto heads = deployment(".storage/ostree/refs/heads/ociimage/");
  const auto branch = heads + "localhost_2Fweb_3Alatest";
  const auto sound = base::read_file_at(AT_FDCWD, branch, 1000).value();
  for (const auto& text : {std::string(), std::string("garbage\n"), std::string(64, 'g') + "\n"}) {
    machine.write(std::string(deployments) + "/.storage/ostree/refs/heads/ociimage/localhost_2Fweb_3Alatest", text);
    pull(context, {machine.image("other", spec), "", ""});
    EXPECT_THAT(list_images(context, {}), SizeIs(1));
    prune(context, false);
    const auto verified = verify_images(context, {{}, false, ""});
    const auto found =
        std::find_if(verified.begin(), verified.end(), [](const auto& each) { return each.name == web; });
    ASSERT_NE(found, verified.end());
    ASSERT_THAT(found->damaged, SizeIs(1));
    EXPECT_EQ(found->damaged[0].kind, "branch");
    EXPECT_THAT(found->damaged[0].paths, ElementsAre(branch));
    repair_image(context, "oci:" + (machine.directory / "web"), "");
    EXPECT_EQ(base::read_file_at(AT_FDCWD, branch, 1000), sound);
    EXPECT_THAT(delete_images(context, {"localhost/other:latest"}, false), SizeIs(1));
  }
  machine.write(std::string(deployments) + "/.storage/ostree/refs/heads/ociimage/localhost_2Fweb_3Alatest", "");
  EXPECT_THAT(delete_images(context, {web}, true), ElementsAre(web));
  EXPECT_FALSE(fs::exists(branch));
}

/// Lets another command, which holds the lock of a container, go on as soon as somebody waits for it.
class Relay final : public base::Reporter {
 public:
  void step(std::string_view message) override {
    if (message.starts_with("waiting for ") && go_on) {
      std::exchange(go_on, nullptr)();
    }
  }
  void progress(const base::Progress& /*progress*/) override {}
  void warning(std::string_view /*sentence*/) override {}

  std::function<void()> go_on;
};

TEST_F(Images, WhatAnotherCommandDoesMeanwhileIsNoDamage) {
  context.config.lock_timeout_seconds = 60;
  Relay relay;
  Context other{machine.layout,
                context.config,
                machine.facts,
                machine.systemd,
                relay,
                machine.stop.get_token(),
                "berth test",
                machine.directory / "data",
                ""};
  const auto verify_while = [&](const std::function<void()>& work) {
    std::optional lock(host::ContainerLock::take(machine.layout, "web", "berth uninstall", std::chrono::seconds(0),
                                                 machine.reporter, {}));
    relay.go_on = [&] {
      work();
      lock.reset();
    };
    const auto verified = verify_images(other, {{}, false, ""});
    EXPECT_FALSE(relay.go_on) << "it has not waited";
    return verified.at(0);
  };
  fs::remove(deployment("web.0/rootfs/bin/server"));
  EXPECT_THAT(verify_while([] {}).deployments, SizeIs(1));
  const auto verified = verify_while([&] {
    fs::remove(deployment("web"));
    fs::remove_all(deployment("web.0"));
  });
  EXPECT_THAT(verified.deployments, IsEmpty());
}

TEST_F(Images, WhatADeploymentOfWhichNothingIsKnownNeedsStays) {
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

TEST_F(Images, WhatAKilledCommandLeftInTheRepositoryIsRemoved) {
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

TEST_F(Images, DescribesVariables) {
  const auto description = describe_image(context, web);
  EXPECT_EQ(description.defaults, (std::map<std::string, std::string>{{"GREETING", "hello"}, {"PORT", "80"}}));
  EXPECT_THAT(description.required, IsEmpty());
  EXPECT_THAT(description.provided, ::testing::Contains("STATE_DIRECTORY"));
  EXPECT_THAT(image_history(context, web), SizeIs(1));
  EXPECT_EQ(image_versions(context, {}).at(0).version, "");
}

TEST_F(Images, UpdatesSkipWhatNoRegistryHas) {
  const auto updates = update_images(context, {});
  ASSERT_THAT(updates, SizeIs(1));
  EXPECT_EQ(updates[0].status, "skipped");
  EXPECT_EQ(error_of([&] { update_images(context, {{"localhost/no:1"}, ""}); }).kind(), ErrorKind::not_found);
}

TEST_F(Images, UsageAddsUp) {
  const auto usage = disk_usage(context);
  ASSERT_THAT(usage.rows, SizeIs(2));
  EXPECT_EQ(usage.rows[0].kind, "image");
  EXPECT_EQ(usage.rows[1].name, "web");
  EXPECT_GE(usage.total, usage.rows[0].own + usage.rows[1].own + usage.rows[1].shared + usage.reclaimable);
  EXPECT_EQ(usage.reclaimable, 0U);
  EXPECT_GT(usage.rows[1].own, 0U);
}

TEST_F(Images, WhatPruneWouldFreeIsReclaimable) {
  auto spec = test::full_image();
  spec.files[1].content = "another";
  pull(context, {machine.image("gone", spec), "", ""});
  EXPECT_EQ(disk_usage(context).reclaimable, 0U);
  delete_images(context, {"localhost/gone:latest"}, false);
  const auto told = disk_usage(context).reclaimable;
  EXPECT_GT(told, 0U);
  EXPECT_EQ(told, prune(context, true).store.bytes);
  EXPECT_EQ(told, prune(context, false).store.bytes);
  EXPECT_EQ(disk_usage(context).reclaimable, 0U);
}

TEST_F(Images, ViewsNeedADirectoryAndAnImage) {
  EXPECT_EQ(error_of([&] { mount_view(context, web, machine.on_disk("nowhere")); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { mount_view(context, "nothing", machine.on_disk("usr")); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { unmount_view(context, machine.on_disk("usr")); }).kind(), ErrorKind::not_found);
}

TEST_F(Images, ARecordWithoutAMountIsPrunedAway) {
  machine.write(std::string(deployments) + "/.mounts/some/info", R"({"image":"x","mounted-at":"/mnt"})");
  EXPECT_THAT(prune(context, true).directories, ElementsAre(deployment(".mounts/some")));
  prune(context, false);
  EXPECT_FALSE(fs::exists(deployment(".mounts/some")));
}

}  // namespace
}  // namespace berth::ops
