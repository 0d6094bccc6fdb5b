// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/sensitive_paths.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

TEST(SensitivePaths, UsualPathsOfAHost) {
  for (const char* path : {"/", "/etc/", "/dev/kvm", "/proc/x", "/usr/share/zoneinfo", "/run/systemd/journal/socket"}) {
    EXPECT_TRUE(is_usual_host_path(path)) << path;
  }
  for (const char* path : {"/etc/redhat-release", "/var/lib/etcd", "/devil", "/run/x"}) {
    EXPECT_FALSE(is_usual_host_path(path)) << path;
  }
}

TEST(SensitivePaths, PathsAreNormalized) {
  EXPECT_EQ(normalized_host_path("//var/./lib/../run//x/"), "/run/x");
  EXPECT_EQ(normalized_host_path("/.."), "/");
}

TEST(SensitivePaths, FilesThatProgramsRunByRootObey) {
  for (const char* path : {"/etc/cron.d/x", "/var/run/systemd/system/x.service", "/home/x/.ssh/y", "/lib/udev/x"}) {
    EXPECT_TRUE(is_sensitive_path(path)) << path;
  }
  for (const char* path : {"/etc/web.conf", "/var/lib/web/x", "/usr/lib/systemdx"}) {
    EXPECT_FALSE(is_sensitive_path(path)) << path;
  }
}

TEST(SensitivePaths, ADirectoryReachesItsContentsAndItsParents) {
  for (const char* path : {"/", "/etc", "/etc/cron.d", "/var/spool/cron/x", "/usr/lib"}) {
    EXPECT_TRUE(reaches_sensitive_path(path)) << path;
  }
  EXPECT_FALSE(reaches_sensitive_path("/srv/web"));
}

TEST(SensitivePaths, StateIsBelowTheUsualDirectories) {
  EXPECT_TRUE(is_state_path("/var/lib/web"));
  for (const char* path : {"/opt/web", "/var/lib/../../etc", "/var/lib/%i", "/var/lib", "/var/spool/cron"}) {
    EXPECT_FALSE(is_state_path(path)) << path;
  }
}

}  // namespace
}  // namespace berth::render
