// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/remote_rootfs.hpp"
#include "ops/plan/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "ops/containers/inspect.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::deployments;
using test::full_image;
using test::Machine;
using test::tree_text;
using ::testing::HasSubstr;

/// Writes the files of full_image() to a root file system on the host.
void write_rootfs(const Machine& machine, const std::string& path) {
  for (const auto& file : full_image().files) {
    if (file.name.ends_with('/')) {
      machine.make_directory(path + "/" + file.name);
    } else if (!file.link_target.empty()) {
      std::filesystem::create_symlink(file.link_target, machine.on_disk(path + "/" + file.name));
    } else {
      machine.write(path + "/" + file.name, file.content, file.mode);
    }
  }
}

InstallRequest remote_request(const std::string& rootfs) {
  InstallRequest request;
  request.image = "localhost/web:latest";
  request.name = "web";
  request.rootfs = rootfs;
  return request;
}

TEST(RemoteRootfs, InstallsFromADirectoryWithoutAnImage) {
  Machine machine;
  auto context = machine.context();
  write_rootfs(machine, "srv/box");
  const auto outcome = install(context, remote_request("/srv/box"));
  const std::string base = std::string(deployments) + "/web";
  EXPECT_EQ(std::filesystem::read_symlink(machine.on_disk(base + ".0/rootfs")), "/srv/box");
  EXPECT_THAT(machine.read(base + "/config.json"), HasSubstr(R"("path": "/srv/box")"));
  EXPECT_EQ(machine.read("usr/local/bin/webctl"), "control\n");
  EXPECT_EQ(machine.read("etc/web/web.conf"), "greeting=hello\n");
  const auto info = host::find_deployment(machine.layout, "web")->info;
  EXPECT_EQ(info.remote, "/srv/box");
  EXPECT_EQ(info.image, "localhost/web:latest");
  EXPECT_TRUE(info.revision.empty());
  EXPECT_EQ(to_json(*outcome.plan).at("rootfs"), "/srv/box");
  EXPECT_EQ(to_json(inspect(context, "web")).at("rootfs"), "/srv/box");
}

TEST(RemoteRootfs, IsNotChangedByInstallAndUninstall) {
  Machine machine;
  auto context = machine.context();
  write_rootfs(machine, "srv/box");
  const auto before = tree_text(machine.on_disk("srv"));
  install(context, remote_request("/srv/box"));
  EXPECT_EQ(tree_text(machine.on_disk("srv")), before);
  uninstall(context, "web");
  EXPECT_EQ(tree_text(machine.on_disk("srv")), before);
}

TEST(RemoteRootfs, AFailureLeavesTheHostUnchanged) {
  Machine machine;
  auto context = machine.context();
  write_rootfs(machine, "srv/box");
  install(context, remote_request("/srv/box"));
  uninstall(context, "web");  // leaves directories that an install creates
  const auto before = tree_text(machine.on_disk(""));
  machine.systemd.fail_on = "enable";
  EXPECT_EQ(error_of([&] { install(context, remote_request("/srv/box")); }).message(), "systemd refused");
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
}

TEST(RemoteRootfs, AcceptsADirectoryThatContainsRootfsAndFollowsLinks) {
  Machine machine;
  auto context = machine.context();
  write_rootfs(machine, "data/bundle/rootfs");
  std::filesystem::create_symlink("/data", machine.on_disk("srv"));
  EXPECT_EQ(find_remote_rootfs(machine.layout, "/srv/bundle"), "/data/bundle/rootfs");
  EXPECT_EQ(find_remote_rootfs(machine.layout, "/srv/bundle/rootfs/"), "/data/bundle/rootfs");
  install(context, remote_request("/srv/bundle"));
  EXPECT_EQ(host::find_deployment(machine.layout, "web")->info.remote, "/data/bundle/rootfs");
}

TEST(RemoteRootfs, RelativePathsBecomeAbsolute) {
  const base::test::TempDirectory directory;
  std::filesystem::create_directories(directory / "box");
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(directory / "");
  const auto found = find_remote_rootfs(host::Layout(host::LayoutSettings{}), "box");
  std::filesystem::current_path(here);
  EXPECT_EQ(found, std::filesystem::canonical(directory / "box"));
}

TEST(RemoteRootfs, TheIdIsThatOfTheStoredImageOfTheName) {
  Machine machine;
  auto context = machine.context();
  const auto pulled = pull(context, {machine.image("web", full_image()), "", ""});
  write_rootfs(machine, "srv/box");
  machine.write("srv/box/bin/server", "changed\n");
  auto request = remote_request("/srv/box");
  request.image = pulled.image.name;
  install(context, request);
  const auto info = host::find_deployment(machine.layout, "web")->info;
  EXPECT_EQ(info.revision, pulled.image.id);
  EXPECT_EQ(info.remote, "/srv/box");
}

TEST(RemoteRootfs, OnlyPlanChangesNothing) {
  Machine machine;
  auto context = machine.context();
  write_rootfs(machine, "srv/box");
  const auto before = tree_text(machine.on_disk(""));
  auto request = remote_request("/srv/box");
  request.only_plan = true;
  install(context, request);
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
}

TEST(RemoteRootfs, AnImageWithoutAServiceLeavesNoRootfs) {
  Machine machine;
  auto context = machine.context();
  write_rootfs(machine, "srv/box");
  machine.write("srv/box/exports/manifest.json", R"({"version":"1.0","noContainerService":true})");
  std::filesystem::remove(machine.on_disk("srv/box/exports/config.json.template"));
  install(context, remote_request("/srv/box"));
  EXPECT_FALSE(machine.exists(std::string(deployments) + "/web.0/rootfs"));
  EXPECT_TRUE(machine.exists("srv/box/bin/server"));
  EXPECT_EQ(machine.read("usr/local/bin/ctl"), "control\n");
}

TEST(RemoteRootfs, AnUpdateChangesOnlyTheConfigurationAndARollbackReturns) {
  Machine machine;
  auto context = machine.context();
  write_rootfs(machine, "srv/box");
  const auto before = tree_text(machine.on_disk("srv"));
  install(context, remote_request("/srv/box"));
  UpdateRequest request;
  request.name = "web";
  EXPECT_FALSE(update(context, request).changed);
  request.set = {"PORT=81", "GREETING=hi"};
  EXPECT_TRUE(update(context, request).changed);
  const std::string base = std::string(deployments) + "/web";
  EXPECT_EQ(std::filesystem::read_symlink(machine.on_disk(base + ".1/rootfs")), "/srv/box");
  EXPECT_THAT(machine.read(base + "/config.json"), HasSubstr(R"("81")"));
  EXPECT_EQ(machine.read("etc/web/web.conf"), "greeting=hi\n");
  EXPECT_EQ(host::find_deployment(machine.layout, "web")->info.remote, "/srv/box");
  rollback(context, {"web", {}});
  EXPECT_THAT(machine.read(base + "/config.json"), HasSubstr(R"("80")"));
  EXPECT_EQ(machine.read("etc/web/web.conf"), "greeting=hello\n");
  EXPECT_EQ(tree_text(machine.on_disk("srv")), before);
}

TEST(RemoteRootfs, CannotBeRebased) {
  Machine machine;
  auto context = machine.context();
  write_rootfs(machine, "srv/box");
  install(context, remote_request("/srv/box"));
  UpdateRequest request;
  request.name = "web";
  request.rebase = "localhost/other:latest";
  const auto error = error_of([&] { update(context, request); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.message(), HasSubstr("/srv/box"));
}

struct Refusal {
  const char* label;
  const char* rootfs;
  ErrorKind kind;
  const char* message;
};

class RefusedRootfs : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusedRootfs, IsReportedWithTheReason) {
  Machine machine;
  auto context = machine.context();
  write_rootfs(machine, "srv/box");
  machine.write("srv/file", "no directory");
  machine.make_directory("srv/linked");
  std::filesystem::create_symlink("/srv/box", machine.on_disk("srv/linked/rootfs"));
  write_rootfs(machine, "srv/writable");
  machine.write("srv/writable/exports/config.json",
                R"({"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"args":["/bin/server"],"cwd":"/"}})");
  write_rootfs(machine, "srv/hostile");
  std::filesystem::remove_all(machine.on_disk("srv/hostile/exports"));
  std::filesystem::create_symlink("/etc", machine.on_disk("srv/hostile/exports"));
  machine.make_directory("srv/empty");
  machine.make_directory(deployments);
  const auto before = tree_text(machine.on_disk(""));
  const auto error = error_of([&] { install(context, remote_request(GetParam().rootfs)); });
  EXPECT_EQ(error.kind(), GetParam().kind) << error.what();
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
}

INSTANTIATE_TEST_SUITE_P(
    RemoteRootfs, RefusedRootfs,
    ::testing::Values(Refusal{"Missing", "/srv/nowhere", ErrorKind::not_found, "srv/nowhere"},
                      Refusal{"File", "/srv/file", ErrorKind::failed, "Not a directory"},
                      Refusal{"HostRoot", "/srv/..", ErrorKind::usage, "root file system of the host itself"},
                      Refusal{"LinkInside", "/srv/linked", ErrorKind::usage, "is a symbolic link"},
                      Refusal{"WritableRoot", "/srv/writable", ErrorKind::verification, "writable"},
                      Refusal{"ExportsIsALink", "/srv/hostile", ErrorKind::verification, "/exports in the image is a"},
                      Refusal{"NothingToRun", "/srv/empty", ErrorKind::failed, "no command"}),
    [](const auto& one) { return one.param.label; });

TEST(RemoteRootfs, ForAnotherRootThePathMustBeAbsolute) {
  const base::test::TempDirectory directory;
  host::LayoutSettings settings;
  settings.root = directory / "";
  const auto error = error_of([&] { find_remote_rootfs(host::Layout(settings), "box"); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.hint(), HasSubstr("inside that system"));
}

}  // namespace
}  // namespace berth::ops
