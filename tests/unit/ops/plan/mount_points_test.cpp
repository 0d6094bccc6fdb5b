// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/mount_points.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/temp_directory.hpp"

namespace berth::ops {
namespace {

namespace fs = std::filesystem;

class MountPoints : public ::testing::Test {
 protected:
  MountPoints() {
    for (const char* path : {"root/etc", "rootfs"}) {
      fs::create_directories(directory_ / path);
    }
  }
  /// Creates the mount points of these mounts and the working directory.
  void make(const std::string& mounts, const std::string& cwd = "/") {
    const auto config =
        base::parse_json(R"({"process":{"cwd":")" + cwd + R"("},"mounts":)" + mounts + "}", "config.json");
    make_mount_points(base::open_host_directory(directory_ / "root").get(),
                      base::open_host_directory(directory_ / "rootfs").get(), config);
  }
  [[nodiscard]] fs::file_status at(const std::string& path) const {
    return fs::symlink_status(directory_ / ("rootfs/" + path));
  }
  base::test::TempDirectory directory_;
};

TEST_F(MountPoints, CreatesDirectoriesAndTheWorkingDirectory) {
  make(R"([{"destination":"/proc","type":"proc"},{"destination":"/a/b","type":"tmpfs"}])", "/srv/home");
  EXPECT_TRUE(fs::is_directory(at("proc")));
  EXPECT_TRUE(fs::is_directory(at("a/b")));
  EXPECT_TRUE(fs::is_directory(at("srv/home")));
  EXPECT_EQ(fs::perms(0755), at("a/b").permissions());
}

TEST_F(MountPoints, CreatesAFileForAFileAndForADanglingLink) {
  std::ofstream(directory_ / "root/etc/hosts") << "x";
  fs::create_symlink("/run/resolv.conf", directory_ / "root/etc/resolv.conf");
  make(R"([{"destination":"/etc/hosts","type":"bind","source":"/etc/hosts"},
           {"destination":"/etc/resolv.conf","type":"bind","source":"/etc/resolv.conf"},
           {"destination":"/data","type":"bind","source":"/var/lib/later"}])");
  EXPECT_TRUE(fs::is_regular_file(at("etc/hosts")));
  EXPECT_TRUE(fs::is_regular_file(at("etc/resolv.conf")));
  EXPECT_TRUE(fs::is_directory(at("data")));
}

TEST_F(MountPoints, KeepsExistingFiles) {
  std::ofstream(directory_ / "rootfs/file") << "kept";
  make(R"([{"destination":"/file","type":"tmpfs"},{"destination":"/file/below","type":"tmpfs"}])");
  EXPECT_EQ(4U, fs::file_size(directory_ / "rootfs/file"));
}

TEST_F(MountPoints, CreatesNoFilesBelowAnotherMountOrThroughALink) {
  fs::create_directories(directory_ / "outside");
  fs::create_symlink(directory_ / "outside", directory_ / "rootfs/link");
  make(R"([{"destination":"/dev","type":"tmpfs"},{"destination":"/dev/pts","type":"devpts"},
           {"destination":"/link/x","type":"tmpfs"}])",
       "/dev/x");
  EXPECT_FALSE(fs::exists(at("dev/pts")));
  EXPECT_FALSE(fs::exists(at("dev/x")));
  EXPECT_TRUE(fs::is_empty(directory_ / "outside"));
}

TEST_F(MountPoints, RefusesPathsThatLeadUpwards) {
  EXPECT_THROW(make(R"([{"destination":"/../outside","type":"tmpfs"}])"), base::Error);
  EXPECT_FALSE(fs::exists(directory_ / "outside"));
}

}  // namespace
}  // namespace berth::ops
