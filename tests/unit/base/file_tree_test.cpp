// SPDX-License-Identifier: LGPL-2.1-or-later
// make_directories_at, list_directory and remove_tree_at of file.hpp.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/file.hpp"
#include "base/temp_directory.hpp"

namespace berth::base {
namespace {

using test::error_of;
using test::link;
using test::mode_of;
using test::TempDirectory;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MakeDirectoriesAt, CreatesMissingDirectories) {
  const TempDirectory directory;
  const mode_t before = ::umask(0077);
  EXPECT_THAT(make_directories_at(directory.fd(), "a/b", 0755), ElementsAre("a", "a/b"));
  EXPECT_THAT(make_directories_at(directory.fd(), "a//b/c/", 01777), ElementsAre("a//b/c"));
  ::umask(before);
  EXPECT_EQ(mode_of(directory, "a"), 0755U);
  EXPECT_EQ(mode_of(directory, "a/b"), 0755U);
  EXPECT_EQ(mode_of(directory, "a/b/c"), 01777U);
  EXPECT_THAT(make_directories_at(directory.fd(), "a/b/c", 0700), IsEmpty());
  EXPECT_THAT(make_directories_at(directory.fd(), "", 0700), IsEmpty());
  EXPECT_THAT(make_directories_at(AT_FDCWD, directory / "abs", 0700), ElementsAre(directory / "abs"));
}

TEST(MakeDirectoriesAt, FollowsExistingLinks) {
  const TempDirectory directory;
  make_directories_at(directory.fd(), "usr/bin", 0755);
  link(directory, "usr/bin", "bin");
  EXPECT_THAT(make_directories_at(directory.fd(), "bin", 0755), IsEmpty());
  EXPECT_THAT(make_directories_at(directory.fd(), "bin/x", 0755), ElementsAre("bin/x"));
  EXPECT_TRUE(stat_at(directory.fd(), "usr/bin/x"));
}

TEST(MakeDirectoriesAt, StaysInsideTheGivenDirectory) {
  const TempDirectory directory;
  make_directories_at(directory.fd(), "data", 0755);
  link(directory, "/data", "absolute");
  link(directory, "../../../..", "upwards");
  EXPECT_THAT(make_directories_at(directory.fd(), "absolute/x", 0755), ElementsAre("absolute/x"));
  EXPECT_TRUE(stat_at(directory.fd(), "data/x"));
  EXPECT_THAT(make_directories_at(directory.fd(), "upwards/y", 0755), ElementsAre("upwards/y"));
  EXPECT_TRUE(stat_at(directory.fd(), "y"));
  link(directory, "nowhere", "dangling");
  EXPECT_EQ(error_of([&] { make_directories_at(directory.fd(), "dangling/z", 0755); }).kind(), ErrorKind::not_found);
}

TEST(MakeDirectoriesAt, LeavesNoDirectoryAfterAFailure) {
  const TempDirectory directory;
  EXPECT_THROW(make_directories_at(directory.fd(), "a/b/" + std::string(300, 'n'), 0755), Error);
  EXPECT_THAT(list_directory(directory.fd()), IsEmpty());
  replace_file_at(directory.fd(), "f", "", 0644);
  const Error error = error_of([&] { make_directories_at(directory.fd(), "f/below", 0755); });
  EXPECT_THAT(error.message(), HasSubstr(directory / "f"));
  EXPECT_THAT(list_directory(directory.fd()), ElementsAre("f"));
}

TEST(ListDirectory, SortsBytewise) {
  const TempDirectory directory;
  for (const char* name : {"b", "a", "B", ".hidden", "\xc3\xa9"}) {
    replace_file_at(directory.fd(), name, "", 0644);
  }
  EXPECT_THAT(list_directory(directory.fd()), ElementsAre(".hidden", "B", "a", "b", "\xc3\xa9"));
  EXPECT_EQ(list_directory(directory.fd()).size(), 5U) << "a second look starts from the beginning";
  EXPECT_THROW(list_directory(-1), Error);
}

TEST(RemoveTreeAt, RemovesFilesLinksAndTrees) {
  const TempDirectory directory;
  make_directories_at(directory.fd(), "t/a/b", 0755);
  make_directories_at(directory.fd(), "t/c", 0755);
  for (const char* name : {"t/f", "t/a/f", "t/a/b/f", "t/c/f", "single"}) {
    replace_file_at(directory.fd(), name, "x", 0444);
  }
  ASSERT_EQ(::mkfifoat(directory.fd(), "t/fifo", 0600), 0);
  remove_tree_at(directory.fd(), "t");
  EXPECT_THAT(list_directory(directory.fd()), ElementsAre("single"));
  remove_tree_at(directory.fd(), "single");
  remove_tree_at(directory.fd(), "absent");
  remove_tree_at(directory.fd(), "absent/below");
  EXPECT_THAT(list_directory(directory.fd()), IsEmpty());
}

TEST(RemoveTreeAt, RemovesOnlyTheNamedTree) {
  const TempDirectory directory;
  make_directories_at(directory.fd(), "a/b/c", 0755);
  replace_file_at(directory.fd(), "a/keep", "x", 0644);
  remove_tree_at(directory.fd(), "a/b");
  EXPECT_THAT(list_directory(open_directory_at(directory.fd(), "a").get()), ElementsAre("keep"));
}

TEST(RemoveTreeAt, NeverFollowsLinks) {
  const TempDirectory directory;
  const TempDirectory elsewhere;
  replace_file_at(elsewhere.fd(), "precious", "x", 0644);
  make_directories_at(directory.fd(), "t/sub", 0755);
  link(directory, elsewhere / "", "t/out");
  link(directory, elsewhere / "precious", "t/sub/out");
  link(directory, "..", "t/sub/up");
  remove_tree_at(directory.fd(), "t");
  EXPECT_THAT(list_directory(directory.fd()), IsEmpty());
  link(directory, elsewhere / ".", "l");
  remove_tree_at(directory.fd(), "l");
  EXPECT_THAT(list_directory(directory.fd()), IsEmpty());
  EXPECT_THAT(list_directory(elsewhere.fd()), ElementsAre("precious"));
}

/// Far deeper than PATH_MAX and than the descriptors we may hold.
TEST(RemoveTreeAt, RemovesTreesOfAnyDepth) {
  const TempDirectory directory;
  make_directories_at(directory.fd(), "t", 0755);
  Fd deepest = open_directory_at(directory.fd(), "t");
  for (int depth = 0; depth < 2'500; ++depth) {
    ASSERT_EQ(::mkdirat(deepest.get(), "d", 0755), 0);
    deepest = open_directory_at(deepest.get(), "d");
  }
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const struct rlimit few { 64, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_NO_THROW(remove_tree_at(directory.fd(), "t"));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(list_directory(directory.fd()), IsEmpty());
}

TEST(RemoveTreeAt, StopsAtAMountedFileSystem) {
  const TempDirectory directory;
  const TempDirectory elsewhere;
  replace_file_at(elsewhere.fd(), "precious", "x", 0644);
  make_directories_at(directory.fd(), "t/mnt", 0755);
  ASSERT_EQ(::mount((elsewhere / ".").c_str(), (directory / "t/mnt").c_str(), nullptr, MS_BIND, nullptr), 0)
      << "the tests are for root";
  const Error error = error_of([&] { remove_tree_at(directory.fd(), "t"); });
  EXPECT_EQ(::umount2((directory / "t/mnt").c_str(), MNT_DETACH), 0);
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("t/mnt"), HasSubstr("mounted")));
  EXPECT_THAT(list_directory(elsewhere.fd()), ElementsAre("precious"));
  remove_tree_at(directory.fd(), "t");
  EXPECT_THAT(list_directory(directory.fd()), IsEmpty());
}

}  // namespace
}  // namespace berth::base
