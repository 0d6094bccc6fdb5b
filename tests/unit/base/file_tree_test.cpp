// make_folders_at, list_folder and remove_tree_at of file.hpp.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/file.hpp"
#include "base/temp_folder.hpp"

namespace berth::base {
namespace {

using test::error_of;
using test::TempFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

mode_t mode_of(const TempFolder& folder, const std::string& name) {
  return stat_at(folder.fd(), name).value().st_mode & 07777U;
}

void link(const TempFolder& folder, const std::string& target, const std::string& name) {
  ASSERT_EQ(::symlinkat(target.c_str(), folder.fd(), name.c_str()), 0);
}

TEST(MakeFoldersAt, CreatesWhatIsMissing) {
  const TempFolder folder;
  const mode_t before = ::umask(0077);
  EXPECT_THAT(make_folders_at(folder.fd(), "a/b", 0755), ElementsAre("a", "a/b"));
  EXPECT_THAT(make_folders_at(folder.fd(), "a//b/c/", 01777), ElementsAre("a//b/c"));
  ::umask(before);
  EXPECT_EQ(mode_of(folder, "a"), 0755U);
  EXPECT_EQ(mode_of(folder, "a/b"), 0755U);
  EXPECT_EQ(mode_of(folder, "a/b/c"), 01777U);
  EXPECT_THAT(make_folders_at(folder.fd(), "a/b/c", 0700), IsEmpty());
  EXPECT_THAT(make_folders_at(folder.fd(), "", 0700), IsEmpty());
  EXPECT_THAT(make_folders_at(AT_FDCWD, folder / "abs", 0700), ElementsAre(folder / "abs"));
}

TEST(MakeFoldersAt, GoesThroughLinksOfTheAdministrator) {
  const TempFolder folder;
  make_folders_at(folder.fd(), "usr/bin", 0755);
  link(folder, "usr/bin", "bin");
  EXPECT_THAT(make_folders_at(folder.fd(), "bin", 0755), IsEmpty());
  EXPECT_THAT(make_folders_at(folder.fd(), "bin/x", 0755), ElementsAre("bin/x"));
  EXPECT_TRUE(stat_at(folder.fd(), "usr/bin/x"));
}

TEST(MakeFoldersAt, StaysInsideTheGivenFolder) {
  const TempFolder folder;
  make_folders_at(folder.fd(), "data", 0755);
  link(folder, "/data", "absolute");
  link(folder, "../../../..", "upwards");
  EXPECT_THAT(make_folders_at(folder.fd(), "absolute/x", 0755), ElementsAre("absolute/x"));
  EXPECT_TRUE(stat_at(folder.fd(), "data/x"));
  EXPECT_THAT(make_folders_at(folder.fd(), "upwards/y", 0755), ElementsAre("upwards/y"));
  EXPECT_TRUE(stat_at(folder.fd(), "y"));
  link(folder, "nowhere", "dangling");
  EXPECT_EQ(error_of([&] { make_folders_at(folder.fd(), "dangling/z", 0755); }).kind(), ErrorKind::not_found);
}

TEST(MakeFoldersAt, LeavesNothingWhenItFails) {
  const TempFolder folder;
  EXPECT_THROW(make_folders_at(folder.fd(), "a/b/" + std::string(300, 'n'), 0755), Error);
  EXPECT_THAT(list_folder(folder.fd()), IsEmpty());
  replace_file_at(folder.fd(), "f", "", 0644);
  const Error error = error_of([&] { make_folders_at(folder.fd(), "f/below", 0755); });
  EXPECT_THAT(error.sentence(), HasSubstr(folder / "f"));
  EXPECT_THAT(list_folder(folder.fd()), ElementsAre("f"));
}

TEST(ListFolder, SortsBytewise) {
  const TempFolder folder;
  for (const char* name : {"b", "a", "B", ".hidden", "\xc3\xa9"}) {
    replace_file_at(folder.fd(), name, "", 0644);
  }
  EXPECT_THAT(list_folder(folder.fd()), ElementsAre(".hidden", "B", "a", "b", "\xc3\xa9"));
  EXPECT_EQ(list_folder(folder.fd()).size(), 5U) << "a second look starts from the beginning";
  EXPECT_THROW(list_folder(-1), Error);
}

TEST(RemoveTreeAt, RemovesFilesLinksAndTrees) {
  const TempFolder folder;
  make_folders_at(folder.fd(), "t/a/b", 0755);
  make_folders_at(folder.fd(), "t/c", 0755);
  for (const char* name : {"t/f", "t/a/f", "t/a/b/f", "t/c/f", "single"}) {
    replace_file_at(folder.fd(), name, "x", 0444);
  }
  ASSERT_EQ(::mkfifoat(folder.fd(), "t/fifo", 0600), 0);
  remove_tree_at(folder.fd(), "t");
  EXPECT_THAT(list_folder(folder.fd()), ElementsAre("single"));
  remove_tree_at(folder.fd(), "single");
  remove_tree_at(folder.fd(), "absent");
  remove_tree_at(folder.fd(), "absent/below");
  EXPECT_THAT(list_folder(folder.fd()), IsEmpty());
}

TEST(RemoveTreeAt, RemovesOnlyTheNamedTree) {
  const TempFolder folder;
  make_folders_at(folder.fd(), "a/b/c", 0755);
  replace_file_at(folder.fd(), "a/keep", "x", 0644);
  remove_tree_at(folder.fd(), "a/b");
  EXPECT_THAT(list_folder(open_folder_at(folder.fd(), "a").get()), ElementsAre("keep"));
}

TEST(RemoveTreeAt, NeverFollowsLinks) {
  const TempFolder folder;
  const TempFolder elsewhere;
  replace_file_at(elsewhere.fd(), "precious", "x", 0644);
  make_folders_at(folder.fd(), "t/sub", 0755);
  link(folder, elsewhere / "", "t/out");
  link(folder, elsewhere / "precious", "t/sub/out");
  link(folder, "..", "t/sub/up");
  remove_tree_at(folder.fd(), "t");
  EXPECT_THAT(list_folder(folder.fd()), IsEmpty());
  link(folder, elsewhere / ".", "l");
  remove_tree_at(folder.fd(), "l");
  EXPECT_THAT(list_folder(folder.fd()), IsEmpty());
  EXPECT_THAT(list_folder(elsewhere.fd()), ElementsAre("precious"));
}

/// Far deeper than PATH_MAX and than the descriptors we may hold.
TEST(RemoveTreeAt, ManagesAnyDepth) {
  const TempFolder folder;
  make_folders_at(folder.fd(), "t", 0755);
  Fd deepest = open_folder_at(folder.fd(), "t");
  for (int depth = 0; depth < 2'500; ++depth) {
    ASSERT_EQ(::mkdirat(deepest.get(), "d", 0755), 0);
    deepest = open_folder_at(deepest.get(), "d");
  }
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const struct rlimit few { 64, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_NO_THROW(remove_tree_at(folder.fd(), "t"));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(list_folder(folder.fd()), IsEmpty());
}

TEST(RemoveTreeAt, StopsAtAMountedFileSystem) {
  const TempFolder folder;
  const TempFolder elsewhere;
  replace_file_at(elsewhere.fd(), "precious", "x", 0644);
  make_folders_at(folder.fd(), "t/mnt", 0755);
  ASSERT_EQ(::mount((elsewhere / ".").c_str(), (folder / "t/mnt").c_str(), nullptr, MS_BIND, nullptr), 0)
      << "the tests are for root";
  const Error error = error_of([&] { remove_tree_at(folder.fd(), "t"); });
  EXPECT_EQ(::umount2((folder / "t/mnt").c_str(), MNT_DETACH), 0);
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.sentence(), AllOf(HasSubstr("t/mnt"), HasSubstr("mounted")));
  EXPECT_THAT(list_folder(elsewhere.fd()), ElementsAre("precious"));
  remove_tree_at(folder.fd(), "t");
  EXPECT_THAT(list_folder(folder.fd()), IsEmpty());
}

}  // namespace
}  // namespace berth::base
