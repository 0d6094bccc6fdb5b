// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/verify.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

#include "base/file.hpp"
#include "host/state/lock.hpp"
#include "ops/images/delete.hpp"
#include "ops/images/images_test.hpp"
#include "ops/images/list.hpp"
#include "ops/images/prune.hpp"
#include "ops/images/pull.hpp"
#include "ops/images/repair.hpp"

namespace berth::ops {
namespace {

using test::deployments;
using test::web;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

class VerifyImages : public test::ImagesTest {};

TEST_F(VerifyImages, ReportsPathsAndContainers) {
  ASSERT_EQ(::chmod(deployment("web.0/rootfs/bin/server").c_str(), 0600), 0);
  const auto verified = verify();
  ASSERT_THAT(verified.damaged, SizeIs(1));
  EXPECT_THAT(verified.damaged[0].paths, ElementsAre("/bin/server"));
  EXPECT_THAT(verified.damaged[0].containers, ElementsAre("web"));
  EXPECT_EQ(verified.remote, RemoteState::not_asked);
  EXPECT_EQ(verify_images(context, {{web}, true, ""}).at(0).remote, RemoteState::none);
}

TEST_F(VerifyImages, FindsDamageOfADeploymentThatSharesNoInodesWithTheStore) {
  const auto server = deployment("web.0/rootfs/bin/server");
  fs::copy_file(server, server + ".old");  // as after an uninstall, a prune and a pull: the same bytes, another inode
  fs::rename(server + ".old", server);
  EXPECT_THAT(verify().deployments, IsEmpty());
  ASSERT_EQ(::chmod(server.c_str(), 0600), 0);
  EXPECT_THAT(verify().damaged, IsEmpty());
  EXPECT_THAT(verify().deployments, SizeIs(1));
}

TEST_F(VerifyImages, IgnoresADeploymentThatIsBeingUninstalled) {
  fs::remove(deployment("web.0/rootfs/bin/server"));
  fs::remove(deployment("web"));  // uninstall removes the link first
  EXPECT_THAT(verify().deployments, IsEmpty());
}

TEST_F(VerifyImages, ADamagedBranchDoesNotAffectOtherImages) {
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

/// Releases the lock of a container that another command holds as soon as this command waits for it.
class Relay final : public base::Reporter {
 public:
  void step(std::string_view message) override {
    if (message.starts_with("waiting for ") && go_on) {
      std::exchange(go_on, nullptr)();
    }
  }
  void progress(const base::Progress& /*progress*/) override {}
  void warning(std::string_view /*message*/) override {}

  std::function<void()> go_on;
};

TEST_F(VerifyImages, IgnoresChangesInProgress) {
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

}  // namespace
}  // namespace berth::ops
