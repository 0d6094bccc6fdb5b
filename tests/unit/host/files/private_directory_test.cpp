// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/files/private_directory.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.hpp"
#include "host/scratch.hpp"
#include "host/state/deployment.hpp"

namespace berth::host::testing {
namespace {

class PrivateDirectory : public ::testing::Test {
 protected:
  void SetUp() override { root_.directory("a/b"); }

  void set_mode(const std::string& path, mode_t mode) const { ASSERT_EQ(0, ::chmod(root_.at(path).c_str(), mode)); }
  [[nodiscard]] struct stat status(const std::string& path) const {
    return base::stat_at(AT_FDCWD, root_.at(path)).value();
  }
  [[nodiscard]] mode_t mode(const std::string& path) const { return status(path).st_mode & 07777U; }
  [[nodiscard]] bool reached() const { return others_can_reach(base::open_host_directory(root_.path()).get(), "/a/b"); }

  Scratch root_;
};

TEST_F(PrivateDirectory, APrivateParentClosesADirectory) {
  set_mode("a", 0755);
  set_mode("a/b", 0755);
  EXPECT_TRUE(reached());
  set_mode("a", 0700);
  EXPECT_FALSE(reached());
  set_mode("a", 0701);
  EXPECT_TRUE(reached());
  set_mode("a/b", 0700);
  EXPECT_FALSE(reached());
  set_mode("a/b", 0710);
  EXPECT_TRUE(reached());
  EXPECT_FALSE(others_can_reach(base::open_host_directory(root_.path()).get(), "/nowhere"));
}

TEST_F(PrivateDirectory, DirectoriesOfOthersAreOpenToThem) {
  if (::geteuid() != 0) {
    return;  // only root can give a directory away
  }
  set_mode("a/b", 0700);
  ASSERT_EQ(0, ::chown(root_.at("a/b").c_str(), 1000, 1000));
  EXPECT_TRUE(reached());
  EXPECT_TRUE(make_private(base::open_host_directory(root_.at("a/b")).get()));
  EXPECT_EQ(0U, status("a/b").st_uid);
  EXPECT_FALSE(reached());
}

TEST_F(PrivateDirectory, IsCreatedOnce) {
  set_mode("a/b", 0755);
  const auto directory = base::open_host_directory(root_.at("a/b"));
  EXPECT_TRUE(make_private(directory.get()));
  EXPECT_EQ(0700U, mode("a/b"));
  EXPECT_FALSE(make_private(directory.get()));
}

TEST_F(PrivateDirectory, LetsOneGroupOrAllUsersPass) {
  if (::geteuid() != 0) {
    return;  // only root can give a directory to any group
  }
  const auto directory = base::open_host_directory(root_.at("a/b"));
  make_private(directory.get());
  let_pass(directory.get(), 100000);
  EXPECT_EQ(0710U, mode("a/b"));
  EXPECT_EQ(100000U, status("a/b").st_gid);
  let_pass(directory.get(), 100000);
  EXPECT_EQ(0710U, mode("a/b"));
  let_pass(directory.get(), 200000);
  EXPECT_EQ(0711U, mode("a/b"));
  EXPECT_TRUE(make_private(directory.get(), 100000)) << "everybody passed";
  EXPECT_EQ(0710U, mode("a/b"));
  EXPECT_FALSE(make_private(directory.get(), 100000));
}

TEST_F(PrivateDirectory, OnlyTheDirectoryOfDeploymentsIsPrivate) {
  LayoutSettings settings;
  settings.root = root_.path();
  const auto created = make_deployments_directory(Layout(settings));
  EXPECT_EQ(4U, created.size());
  EXPECT_EQ(0755U, mode("var/lib/containers"));
  EXPECT_EQ(0700U, mode("var/lib/containers/berth"));
}

}  // namespace
}  // namespace berth::host::testing
