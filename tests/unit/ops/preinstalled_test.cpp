// SPDX-License-Identifier: LGPL-2.1-or-later
// Preinstalled containers: installed into a tree, and handled by the commands on the booted host.
#include <gmock/gmock.h>

#include "base/file.hpp"
#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "ops/containers/list.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/delete.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/list.hpp"
#include "ops/images/prune.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::full_image;
using test::Machine;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* deployment = "usr/lib/containers/berth/web.0";

class Preinstalled : public ::testing::Test {
 protected:
  InstallOutcome preinstall(InstallRequest request = {}, const StepHook& hook = {}) {
    host::LayoutSettings settings;
    settings.root = machine_.layout.root();
    settings.preinstalling = true;
    auto context = machine_.context();
    context.layout = host::Layout(settings);
    context.facts = host::offline_facts();
    const auto systemd = host::make_offline_systemd(context.layout, machine_.reporter);
    Context offline{context.layout, context.config, context.facts,          *systemd, machine_.reporter,
                    context.stop,   "berth test",   context.data_directory, ""};
    request.image = machine_.image("web-image", full_image());
    request.name = "web";
    return install(offline, request, hook);
  }
  InstallOutcome install_over() {
    auto context = machine_.context();
    InstallRequest request;
    request.image = "oci:" + (machine_.directory / "web-image");
    request.name = "web";
    return install(context, request);
  }

  Machine machine_;
};

TEST_F(Preinstalled, AllFilesAreBelowUsr) {
  preinstall();
  EXPECT_TRUE(machine_.exists("usr/lib/systemd/system/web.service"));
  EXPECT_TRUE(machine_.exists("usr/lib/systemd/system/multi-user.target.wants/web.service"));
  EXPECT_TRUE(machine_.exists("usr/lib/tmpfiles.d/web.conf"));
  EXPECT_FALSE(machine_.exists("etc/systemd/system/web.service"));
  EXPECT_FALSE(machine_.exists("var/lib/containers"));
  EXPECT_THAT(base::list_directory(base::open_host_directory(machine_.on_disk("usr/lib/containers/berth")).get()),
              ElementsAre("web", "web.0"));
}

TEST_F(Preinstalled, FilesAreCopiesAndMountPointsExist) {
  preinstall();
  EXPECT_EQ(std::filesystem::hard_link_count(machine_.on_disk(std::string(deployment) + "/rootfs/bin/server")), 1U);
  EXPECT_TRUE(machine_.exists(std::string(deployment) + "/rootfs/data"));
  EXPECT_THAT(machine_.read("usr/lib/systemd/system/web.service"),
              HasSubstr("WorkingDirectory=/usr/lib/containers/berth/web.0"));
}

TEST_F(Preinstalled, FactsOfTheBuildMachineAreNotUsed) {
  machine_.facts.executable = "/root/build/berth";
  machine_.facts.last_capability = 7;
  preinstall();
  const auto values = host::find_deployment(machine_.layout, "web").value().info.values;
  EXPECT_EQ(values.at("ATOMIC"), "/usr/bin/berth");
  EXPECT_THAT(values.at("ALL_PROCESS_CAPABILITIES"), HasSubstr("CAP_CHECKPOINT_RESTORE"));
}

TEST_F(Preinstalled, IsListedAndNotChanged) {
  preinstall();
  auto context = machine_.context();
  const auto rows = list_containers(context, {true, {{"backend", "preinstalled"}}});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows.front().preinstalled);
  EXPECT_THAT(list_containers(context, {true, {{"backend", "ostree"}}}), IsEmpty());
  EXPECT_THAT(update_all(context, {}), IsEmpty());
  UpdateRequest request;
  request.name = "web";
  for (const auto& error : {error_of([&] { update(context, request); }), error_of([&] {
                              rollback(context, {"web", {}});
                            }),
                            error_of([&] { uninstall(context, "web"); })}) {
    EXPECT_EQ(error.kind(), ErrorKind::not_permitted);
    EXPECT_THAT(error.message(), HasSubstr("web is part of the operating system"));
    EXPECT_THAT(error.hint(), HasSubstr("web"));
  }
}

TEST_F(Preinstalled, AnInstalledContainerHidesItUntilItIsUninstalled) {
  preinstall();
  install_over();
  EXPECT_FALSE(host::find_deployment(machine_.layout, "web").value().preinstalled);
  EXPECT_TRUE(machine_.exists("etc/systemd/system/web.service"));
  auto context = machine_.context();
  EXPECT_EQ(list_containers(context, {true, {}}).size(), 1U);
  uninstall(context, "web");
  EXPECT_TRUE(host::find_deployment(machine_.layout, "web").value().preinstalled);
  EXPECT_TRUE(machine_.exists("usr/lib/systemd/system/web.service"));
  EXPECT_TRUE(machine_.exists("usr/lib/systemd/system/multi-user.target.wants/web.service"));
}

TEST_F(Preinstalled, CannotBeHiddenWhileItIsRunning) {
  preinstall();
  machine_.systemd.active.insert("web.service");
  const auto error = error_of([&] { install_over(); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.hint(), HasSubstr("berth stop web"));
  EXPECT_FALSE(machine_.exists("etc/systemd/system/web.service"));
}

TEST_F(Preinstalled, AnotherUnitOfTheNameIsAConflict) {
  preinstall();
  machine_.write("run/systemd/system/web.service", "[Service]\nExecStart=/bin/true\n");
  EXPECT_THAT(error_of([&] { install_over(); }).message(), HasSubstr("/run/systemd/system/web.service"));
}

TEST_F(Preinstalled, ItsImageIsNotInUse) {
  preinstall();
  auto context = machine_.context();
  EXPECT_THAT(error_of([&] { open_images(context, "web"); }).message(), HasSubstr("part of the operating system"));
  const auto image = pull(context, {"oci:" + (machine_.directory / "web-image"), "", ""}).image;
  EXPECT_THAT(commits_in_use(deployments_in_use(context)), IsEmpty());
  EXPECT_FALSE(list_images(context, {}).front().used);
  EXPECT_THAT(delete_images(context, {image.name}, false), ElementsAre(image.name));
  prune(context, false);
  const auto store = open_images(context);
  const auto error = error_of([&] { choose_image(context, store, "web"); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.hint(), HasSubstr(std::string(deployment) + "/rootfs"));
}

TEST_F(Preinstalled, IsNotListedInUserMode) {
  preinstall();
  host::LayoutSettings settings;
  settings.root = machine_.layout.root();
  settings.user = host::UserDirectories{
      "alice", 1000, "/home/alice", "/home/alice/.local/share", "/home/alice/.config", "/run/user/1000"};
  EXPECT_THAT(host::list_deployments(host::Layout(settings)).deployments, IsEmpty());
  EXPECT_FALSE(host::is_preinstalled(host::Layout(settings), "web"));
}

TEST_F(Preinstalled, ARemoteRootFileSystemIsRefused) {
  InstallRequest request;
  request.rootfs = "/srv/web";
  EXPECT_THAT(error_of([&] { preinstall(request); }).message(), HasSubstr("--rootfs"));
  EXPECT_FALSE(machine_.exists("usr/lib/containers"));
}

TEST_F(Preinstalled, AFailedInstallLeavesNothing) {
  for (const std::size_t fatal : {1U, 4U, 6U}) {
    const auto fail = [fatal](std::size_t index) {
      if (index == fatal) {
        throw base::Error(ErrorKind::failed, "stopped by the test");
      }
    };
    EXPECT_EQ(error_of([&] { preinstall({}, fail); }).message(), "stopped by the test");
    EXPECT_FALSE(machine_.exists("usr/lib")) << "step " << fatal;
    EXPECT_FALSE(machine_.exists("etc/web")) << "step " << fatal;
  }
}

TEST_F(Preinstalled, RefusesHostFilesInDirectoriesOfTheBootedSystem) {
  auto spec = full_image();
  spec.files.push_back({"exports/hostfs/var/lib/containers/berth/x", "x", 0644, ""});
  host::LayoutSettings settings;
  settings.root = machine_.layout.root();
  settings.preinstalling = true;
  auto context = machine_.context();
  context.layout = host::Layout(settings);
  InstallRequest request;
  request.image = machine_.image("web-image", spec);
  request.name = "web";
  EXPECT_EQ(error_of([&] { install(context, request); }).kind(), ErrorKind::conflict);
}

}  // namespace
}  // namespace berth::ops
