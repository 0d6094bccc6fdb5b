// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/package_limits.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "base/file.hpp"
#include "base/temp_directory.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using ::testing::HasSubstr;

constexpr uid_t unnamed = 54321;  ///< no user or group of a test machine

std::set<uid_t> users_of_this_machine() {
  std::set<uid_t> found;
  ::setpwent();
  while (const passwd* entry = ::getpwent()) {
    found.insert(entry->pw_uid);
  }
  ::endpwent();
  return found;
}

std::set<gid_t> groups_of_this_machine() {
  std::set<gid_t> found;
  ::setgrent();
  while (const group* entry = ::getgrent()) {
    found.insert(entry->gr_gid);
  }
  ::endgrent();
  return found;
}

/// Debian policy, 9.2.2: ids below 100 and that of nobody are the same everywhere.
bool is_global(unsigned id) {
  return id < 100 || id == 65534;
}

class PackageLimits : public ::testing::TestWithParam<host::PackageKind> {
 protected:
  PackageLimits() : file(tree.write("sub/deep/ping", "x")) {}

  void SetUp() override { ASSERT_EQ(::geteuid(), 0U) << "only root can give a file to any user"; }

  void own(uid_t uid, gid_t gid) const { ASSERT_EQ(::lchown(file.c_str(), uid, gid), 0); }
  void prepare() const { make_packable(tree.fd(), GetParam()); }
  [[nodiscard]] static bool is_deb() { return GetParam() == host::PackageKind::deb; }

  /// Checks that the tree is refused because of the file. @return the message
  [[nodiscard]] std::string refusal() const {
    const auto error = error_of([this] { prepare(); });
    EXPECT_EQ(error.kind(), ErrorKind::verification);
    EXPECT_THAT(error.message(), ::testing::StartsWith("/sub/deep/ping "));
    EXPECT_THAT(error.hint(), HasSubstr("berth install"));
    return error.message();
  }

  base::test::TempDirectory tree;
  std::string file;
};

TEST_P(PackageLimits, AcceptFilesOfRoot) {
  EXPECT_NO_THROW(prepare());
  EXPECT_EQ(test::read_file(file), "x");
}

TEST_P(PackageLimits, RefuseFileCapabilities) {
  const unsigned char capability[20] = {0x01, 0, 0, 0x02, 0, 0x20};
  ASSERT_EQ(::setxattr(file.c_str(), "security.capability", capability, sizeof capability, 0), 0);
  EXPECT_THAT(refusal(), HasSubstr("capabilities"));
  ASSERT_EQ(::removexattr(file.c_str(), "security.capability"), 0);
  EXPECT_NO_THROW(prepare());
}

/// dpkg keeps a number that has no name; rpm holds names only.
TEST_P(PackageLimits, OnlyDpkgKeepsOwnersWithoutAName) {
  for (const auto& [uid, gid] : {std::pair{unnamed, gid_t{0}}, {uid_t{0}, unnamed}}) {
    own(uid, gid);
    if (is_deb()) {
      EXPECT_NO_THROW(prepare());
    } else {
      EXPECT_THAT(refusal(), HasSubstr("54321"));
    }
  }
}

TEST_P(PackageLimits, OnlyDpkgKeepsGlobalIds) {
  for (const uid_t id : {1U, 99U, 65534U}) {
    own(id, id);
    if (is_deb()) {
      EXPECT_NO_THROW(prepare()) << id;
    } else {
      EXPECT_THAT(refusal(), HasSubstr("no name that an RPM package could hold")) << id;
    }
  }
}

/// Another machine may have the name for another id.
TEST_P(PackageLimits, NamedUsersAreKeptWhenTheyAreTheSameEverywhere) {
  for (const auto user : users_of_this_machine()) {
    own(user, 0);
    if (user == 0 || (is_deb() && is_global(user))) {
      EXPECT_NO_THROW(prepare()) << user;
    } else {
      EXPECT_THAT(refusal(), HasSubstr("belongs to user " + std::to_string(user) + " and group 0,")) << user;
    }
  }
}

/// Debian has the group `users` with the id 100, the first one that is not global.
TEST_P(PackageLimits, NamedGroupsAreKeptWhenTheyAreTheSameEverywhere) {
  for (const auto group : groups_of_this_machine()) {
    own(0, group);
    if (group == 0 || (is_deb() && is_global(group))) {
      EXPECT_NO_THROW(prepare()) << group;
    } else {
      EXPECT_THAT(refusal(), HasSubstr("belongs to user 0 and group " + std::to_string(group) + ",")) << group;
    }
  }
}

TEST_P(PackageLimits, TheOwnersOfDirectoriesAndLinksCount) {
  const std::string link = tree / "sub/link";
  std::filesystem::create_symlink("/etc/passwd", link);
  for (const auto& path : {tree / "sub/deep", link}) {
    ASSERT_EQ(::lchown(path.c_str(), unnamed, 0), 0);
    if (is_deb()) {
      EXPECT_NO_THROW(prepare()) << path;
    } else {
      EXPECT_THAT(error_of([this] { prepare(); }).message(), HasSubstr("54321")) << path;
    }
    ASSERT_EQ(::lchown(path.c_str(), 0, 0), 0);
  }
}

TEST_P(PackageLimits, GiveEachSymbolicLinkItsOwnInode) {
  ASSERT_EQ(::symlinkat("busybox", tree.fd(), "ls"), 0);
  ASSERT_EQ(::linkat(tree.fd(), "ls", tree.fd(), "sub/cat", 0), 0);
  const uid_t owner = is_deb() ? unnamed : 0;
  ASSERT_EQ(::fchownat(tree.fd(), "ls", owner, owner, AT_SYMLINK_NOFOLLOW), 0);
  prepare();
  for (const auto* name : {"ls", "sub/cat"}) {
    const auto status = base::stat_at(tree.fd(), name).value();
    EXPECT_EQ(status.st_nlink, 1U) << name;
    EXPECT_EQ(status.st_uid, owner) << name;
    EXPECT_EQ(status.st_gid, owner) << name;
    EXPECT_EQ(base::read_link_at(tree.fd(), name), "busybox");
  }
}

TEST_P(PackageLimits, HardLinkedFilesStayLinked) {
  ASSERT_EQ(::linkat(tree.fd(), "sub/deep/ping", tree.fd(), "pong", 0), 0);
  prepare();
  EXPECT_EQ(base::stat_at(tree.fd(), "pong").value().st_nlink, 2U);
}

INSTANTIATE_TEST_SUITE_P(BothKinds, PackageLimits, ::testing::Values(host::PackageKind::deb, host::PackageKind::rpm),
                         [](const auto& kind) { return kind.param == host::PackageKind::deb ? "deb" : "rpm"; });

}  // namespace
}  // namespace berth::ops
