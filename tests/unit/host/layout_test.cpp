// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/layout.hpp"

#include <gmock/gmock.h>

#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::HasSubstr;

Layout layout_of(const std::string& root) {
  LayoutSettings settings;
  settings.root = root;
  return Layout(settings);
}

TEST(Layout, PathsOfTheRunningHost) {
  const Layout layout = layout_of("/");
  EXPECT_FALSE(layout.offline());
  EXPECT_EQ("/", layout.on_disk("/"));
  EXPECT_EQ("/etc/x", layout.on_disk("/etc/x"));
  EXPECT_EQ("/etc/x", layout.on_disk("etc/x"));
  EXPECT_EQ("/var/lib/containers/berth", layout.deployments());
  EXPECT_EQ("/var/lib/containers/berth/web.1", layout.deployment_in_root("web", 1));
  EXPECT_EQ("/etc/systemd/system", layout.units_in_root());
  EXPECT_EQ("/etc/systemd/system/web.service", layout.unit_in_root("web"));
  EXPECT_EQ("/etc/tmpfiles.d/web.conf", layout.tmpfiles_in_root("web"));
  EXPECT_EQ("/usr/lib/containers/berth", layout.preinstalled());
  EXPECT_EQ("/run", layout.runtime_in_root());
  EXPECT_EQ("", layout.systemd_cgroup());
  EXPECT_EQ("system.slice", layout.default_slice());
  EXPECT_EQ("systemctl", layout.command("systemctl"));
  EXPECT_EQ("/var/lib/containers/berth/.locks", layout.locks());
  EXPECT_EQ("/var/lib/containers/berth/.transactions", layout.journals());
}

TEST(Layout, LinksOfAnotherRootStayInsideIt) {
  const Scratch root;
  root.directory("data");
  root.directory("var");
  root.link("var/lib", "/data");
  EXPECT_EQ(root.at("data/containers/berth"), layout_of(root.path()).deployments());
  EXPECT_EQ("/data/containers/berth", layout_of(root.path()).deployments_in_root());
}

TEST(Layout, PathsOfAnotherRoot) {
  const Layout layout = layout_of("/mnt//image/./x/../");
  EXPECT_TRUE(layout.offline());
  EXPECT_EQ("/mnt/image", layout.root());
  EXPECT_EQ("/mnt/image", layout.on_disk("/"));
  EXPECT_EQ("/mnt/image/var/lib/containers/berth", layout.deployments());
  EXPECT_EQ("/var/lib/containers/berth", layout.deployments_in_root());
  EXPECT_EQ("/mnt/image/usr/lib/containers/berth", layout.preinstalled());
  EXPECT_EQ("/etc/systemd/system", layout.units_in_root());
  EXPECT_EQ("/etc/systemd/system/web.service", layout.unit_in_root("web"));
}

TEST(Layout, ARunningRoot) {
  LayoutSettings settings;
  settings.root = "/mnt";
  settings.running = true;
  const Layout layout(settings);
  EXPECT_FALSE(layout.offline());
  EXPECT_EQ("/mnt/etc/x", layout.on_disk("/etc/x"));
}

TEST(Layout, SeveralSlashesNameTheRunningHost) {
  EXPECT_FALSE(layout_of("//").offline());
  EXPECT_FALSE(layout_of("/.").offline());
  EXPECT_FALSE(layout_of("").offline());
  EXPECT_FALSE(layout_of("/../..").offline());
}

TEST(Layout, RootlessContainersAreBelowTheUsersDirectories) {
  LayoutSettings settings;
  settings.user = UserDirectories{"alice", 1000, "/home/alice", "/data", "/conf", "/run/user/1000"};
  const Layout layout(settings);
  EXPECT_FALSE(layout.offline());
  EXPECT_EQ("/data/containers/berth", layout.deployments());
  EXPECT_EQ("/data/containers/berth/.storage/ostree", layout.repository());
  EXPECT_EQ("/conf/systemd/user/web.service", layout.unit_in_root("web"));
  EXPECT_EQ("/conf/user-tmpfiles.d/web.conf", layout.tmpfiles_in_root("web"));
  EXPECT_EQ("/conf/systemd/user", layout.unit_directories_in_root().front());
  EXPECT_EQ("/conf/berth", layout.settings_in_root());
  EXPECT_EQ("/run/user/1000", layout.runtime_in_root());
  EXPECT_EQ("/user.slice/user-1000.slice/user@1000.service", layout.systemd_cgroup());
  EXPECT_EQ("app.slice", layout.default_slice());
  EXPECT_EQ("journalctl --user", layout.command("journalctl"));
  EXPECT_EQ("", layout.preinstalled());
}

TEST(Layout, PreinstalledContainersAreBelowUsr) {
  LayoutSettings settings;
  settings.root = "/mnt";
  settings.deployments = "/srv/elsewhere";
  settings.preinstalling = true;
  const Layout layout(settings);
  EXPECT_TRUE(layout.offline());
  EXPECT_EQ("/usr/lib/containers/berth", layout.deployments_in_root());
  EXPECT_EQ("/usr/lib/systemd/system/web.service", layout.unit_in_root("web"));
  EXPECT_EQ("/usr/lib/tmpfiles.d/web.conf", layout.tmpfiles_in_root("web"));
  EXPECT_EQ("", layout.preinstalled());
}

TEST(Layout, RelativePathsAreRefused) {
  const base::Error error = error_of([] { layout_of("mnt"); });
  EXPECT_EQ(base::ErrorKind::usage, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("the root 'mnt' is not an absolute path"));
  LayoutSettings settings;
  settings.deployments = "x";
  EXPECT_EQ(base::ErrorKind::usage, error_of([&] { Layout{settings}; }).kind());
  settings.deployments = "/x";
  settings.repository = "y";
  EXPECT_EQ(base::ErrorKind::usage, error_of([&] { Layout{settings}; }).kind());
}

TEST(Layout, SettingsChangePaths) {
  LayoutSettings settings;
  settings.root = "/mnt";
  settings.deployments = "/srv/berth/";
  settings.repository = "/srv/repo";
  const Layout layout(settings);
  EXPECT_EQ("/mnt/srv/berth", layout.deployments());
  EXPECT_EQ("/srv/berth/web.0", layout.deployment_in_root("web", 0));
  EXPECT_EQ("/mnt/srv/repo", layout.repository());
}

TEST(Layout, RepositoryOfTheSystemOnTheSameFileSystem) {
  const Scratch root;
  const Layout layout = layout_of(root.path());
  EXPECT_EQ(root.at("var/lib/containers/berth/.storage/ostree"), layout.repository());
  root.directory("ostree/repo");
  EXPECT_EQ(root.at("var/lib/containers/berth/.storage/ostree"), layout.repository()) << "others can enter it";
  EXPECT_EQ(root.at("ostree/repo"), layout.read_only_repository());
  ASSERT_EQ(0, ::chmod(root.at("ostree/repo").c_str(), 0700));
  EXPECT_EQ(root.at("ostree/repo"), layout.repository());
  EXPECT_EQ("", layout.read_only_repository());
}

TEST(Layout, ASharedRepositoryOfTheSystemIsReadOnly) {
  const Scratch root;
  root.directory("ostree/repo");
  LayoutSettings settings;
  settings.root = root.path();
  settings.repository = "/ostree/repo";
  EXPECT_EQ(root.at("var/lib/containers/berth/.storage/ostree"), Layout(settings).repository());
  ASSERT_EQ(0, ::chmod(root.at("ostree").c_str(), 0700));
  EXPECT_EQ(root.at("ostree/repo"), Layout(settings).repository());
}

TEST(Layout, NoLinkLeadsOutOfAnotherRoot) {
  const Scratch root;
  const Scratch outside;
  root.directory("var/lib/containers/berth");
  outside.directory("repo/objects");
  const auto layout = layout_of(root.path());
  for (const char* place : {".storage", ".locks", ".transactions"}) {
    root.link(std::string("var/lib/containers/berth/") + place, outside.path());
  }
  root.link("ostree", outside.path());
  const auto inside = root.path() + outside.path();  // as the booted system would follow it
  EXPECT_EQ(inside + "/ostree", layout.repository());
  EXPECT_EQ("", layout.read_only_repository());
  // A link in place of these is refused where they are opened.
  EXPECT_EQ(root.at("var/lib/containers/berth/.locks"), layout.locks());
  EXPECT_EQ(root.at("var/lib/containers/berth/.transactions"), layout.journals());
  root.link("etc/berth", "../../../.." + outside.path());
  EXPECT_EQ(inside + "/x", layout.on_disk("/etc/berth/x"));
  root.link("etc/circle", "circle");
  EXPECT_THAT(error_of([&] { static_cast<void>(layout.on_disk("/etc/circle/x")); }).what(), HasSubstr("in a circle"));
}

TEST(Layout, RepositoryOfTheSystemOnAnotherFileSystem) {
  const Scratch root;
  struct stat here {};
  struct stat there {};
  ASSERT_EQ(0, ::stat(root.path().c_str(), &here));
  ASSERT_EQ(0, ::stat("/dev/shm", &there));
  if (here.st_dev == there.st_dev) {
    root.directory("unused");  // the temporary directory is memory too; /proc is certainly another file system
  }
  root.link("ostree/repo", here.st_dev == there.st_dev ? "/proc" : "/dev/shm");
  EXPECT_EQ(root.at("var/lib/containers/berth/.storage/ostree"), layout_of(root.path()).repository());
}

TEST(ContainerName, Accepted) {
  for (const char* name : {"a", "0", "etcd1", "foo.0", "foo.1", "a_b-c.d", "A..b"}) {
    EXPECT_NO_THROW(check_container_name(name)) << name;
    EXPECT_TRUE(is_container_name(name)) << name;
  }
  EXPECT_NO_THROW(check_container_name(std::string(247, 'a')));
  EXPECT_EQ("web.service", unit_name("web"));
}

TEST(ContainerName, Refused) {
  for (const char* name : {"", ".a", "-a", "_a", "a/b", "..", "a b", "a\nb", "a@b", "ä", "a%b"}) {
    EXPECT_EQ(base::ErrorKind::usage, error_of([&] { check_container_name(name); }).kind()) << name;
    EXPECT_FALSE(is_container_name(name)) << name;
  }
  EXPECT_THAT(error_of([] { check_container_name(std::string(248, 'a')); }).what(), HasSubstr("longer than 247"));
  EXPECT_THAT(error_of([] { check_container_name(std::string_view("a\0b", 3)); }).what(),
              HasSubstr("'a?b' holds something other"));
}

}  // namespace
}  // namespace berth::host::testing
