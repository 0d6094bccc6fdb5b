// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

#include "base/temp_directory.hpp"

namespace berth::base {
namespace {

using test::error_of;
using test::link;
using test::mode_of;
using test::TempDirectory;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t plenty = 1U << 20U;

bool has_cloexec(const Fd& fd) {
  return (::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0;
}

TEST(FullPath, BeginsWithTheDirectory) {
  const TempDirectory directory;
  EXPECT_EQ(full_path(directory.fd(), "a/b"), directory / "a/b");
  EXPECT_EQ(full_path(directory.fd(), "."), (directory / "x").substr(0, (directory / "x").size() - 2));
  EXPECT_EQ(full_path(directory.fd(), "/abs"), "/abs");
  EXPECT_EQ(full_path(AT_FDCWD, "rel"), "rel");
  EXPECT_EQ(full_path(1000000, "rel"), "rel");
  EXPECT_EQ(full_path(open_host_directory("/").get(), "etc"), "/etc");
}

TEST(OpenAt, OpensAndCloses) {
  const TempDirectory directory;
  const Fd file = open_at(directory.fd(), "f", O_WRONLY | O_CREAT, 0600);
  EXPECT_TRUE(has_cloexec(file));
  const Error absent = error_of([&] { open_at(directory.fd(), "absent", O_RDONLY); });
  EXPECT_EQ(absent.kind(), ErrorKind::not_found);
  EXPECT_THAT(absent.message(), HasSubstr(directory / "absent"));
}

TEST(OpenAt, RefusesALink) {
  const TempDirectory directory;
  link(directory, "/etc/passwd", "l");
  const Error error = error_of([&] { open_at(directory.fd(), "l", O_RDONLY); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_THAT(error.message(), HasSubstr("symbolic link"));
  link(directory, "/etc", "d");
  EXPECT_THROW(open_directory_at(directory.fd(), "d"), Error);
}

TEST(OpenHostDirectory, FollowsLinks) {
  const TempDirectory directory;
  make_directories_at(directory.fd(), "real", 0755);
  link(directory, "real", "l");
  EXPECT_TRUE(has_cloexec(open_host_directory(directory / "l")));
  EXPECT_TRUE(open_host_directory_at(directory.fd(), "l"));
  EXPECT_EQ(error_of([&] { open_host_directory(directory / "absent"); }).kind(), ErrorKind::not_found);
}

TEST(OpenBeneath, OpensBelow) {
  const TempDirectory directory;
  make_directories_at(directory.fd(), "a/b", 0755);
  replace_file_at(directory.fd(), "a/b/f", "hello", 0644);
  for (const char* path : {"a/b/f", "/a/b/f", "//a/./b//f"}) {
    const Fd file = open_beneath(directory.fd(), path, O_RDONLY);
    EXPECT_TRUE(has_cloexec(file));
    EXPECT_EQ(read_all(file.get(), plenty, path), "hello");
  }
  EXPECT_TRUE(open_beneath(directory.fd(), "/", O_RDONLY | O_DIRECTORY));
  EXPECT_TRUE(open_beneath(directory.fd(), "a/new", O_WRONLY | O_CREAT, 0600));
  EXPECT_EQ(mode_of(directory, "a/new"), 0600U);
}

TEST(OpenBeneath, FollowsNoLink) {
  const TempDirectory directory;
  make_directories_at(directory.fd(), "a", 0755);
  replace_file_at(directory.fd(), "a/f", "x", 0644);
  link(directory, "a", "inner");
  link(directory, "/etc", "outer");
  link(directory, "a/f", "last");
  for (const char* path : {"inner/f", "outer/passwd", "last", "a/../a/f", "../x"}) {
    EXPECT_EQ(error_of([&] { open_beneath(directory.fd(), path, O_RDONLY); }).kind(), ErrorKind::verification) << path;
  }
  EXPECT_EQ(error_of([&] { open_beneath(directory.fd(), "a/absent", O_RDONLY); }).kind(), ErrorKind::not_found);
}

TEST(OpenInRoot, ResolvesAsAfterChroot) {
  const TempDirectory directory;
  make_directories_at(directory.fd(), "etc", 0755);
  replace_file_at(directory.fd(), "etc/os-release", "inside", 0644);
  link(directory, "/etc", "absolute");
  link(directory, "../../../etc", "upwards");
  for (const char* path : {"/etc/os-release", "absolute/os-release", "upwards/os-release", "../../etc/os-release"}) {
    EXPECT_EQ(read_all(open_in_root(directory.fd(), path, O_RDONLY).get(), plenty, path), "inside") << path;
  }
  EXPECT_TRUE(open_in_root(directory.fd(), "", O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(error_of([&] { open_in_root(directory.fd(), "no", O_RDONLY); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { open_in_root(directory.fd(), std::string_view("a\0b", 3), O_RDONLY); }).kind(),
            ErrorKind::verification);
}

TEST(StatAt, DistinguishesErrorsFromAbsence) {
  const TempDirectory directory;
  replace_file_at(directory.fd(), "f", "12345", 0644);
  link(directory, "f", "l");
  EXPECT_EQ(stat_at(directory.fd(), "f")->st_size, 5);
  EXPECT_TRUE(S_ISLNK(stat_at(directory.fd(), "l")->st_mode));
  EXPECT_FALSE(stat_at(directory.fd(), "absent"));
  EXPECT_FALSE(stat_at(directory.fd(), "f/below"));
  EXPECT_THROW(stat_at(-1, "f"), Error);
}

TEST(ReadLinkAt, ReturnsTheTarget) {
  const TempDirectory directory;
  link(directory, "some where", "l");
  replace_file_at(directory.fd(), "f", "", 0644);
  EXPECT_EQ(read_link_at(directory.fd(), "l"), "some where");
  EXPECT_FALSE(read_link_at(directory.fd(), "f"));
  EXPECT_FALSE(read_link_at(directory.fd(), "absent"));
  EXPECT_THROW(read_link_at(-1, "f"), Error);
}

TEST(ReadFileAt, ReadsWholeFiles) {
  const TempDirectory directory;
  const std::string big(100'000, 'x');
  replace_file_at(directory.fd(), "f", big, 0644);
  EXPECT_EQ(read_file_at(directory.fd(), "f", plenty), big);
  EXPECT_EQ(read_file_at(directory.fd(), "f", big.size()), big);
  EXPECT_FALSE(read_file_at(directory.fd(), "absent", plenty));
}

TEST(ReadFileAt, EnforcesTheLimit) {
  const TempDirectory directory;
  replace_file_at(directory.fd(), "f", "12345", 0644);
  const Error error = error_of([&] { read_file_at(directory.fd(), "f", 4); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_THAT(error.message(), AllOf(HasSubstr(directory / "f"), HasSubstr("limit of 4 bytes")));
}

TEST(ReadFileAt, RefusesOtherKindsOfFiles) {
  const TempDirectory directory;
  link(directory, "/etc/passwd", "l");
  ASSERT_EQ(::mkfifoat(directory.fd(), "fifo", 0600), 0);
  make_directories_at(directory.fd(), "d", 0755);
  EXPECT_EQ(error_of([&] { read_file_at(directory.fd(), "l", plenty); }).kind(), ErrorKind::verification);
  EXPECT_THAT(error_of([&] { read_file_at(directory.fd(), "fifo", plenty); }).message(),
              EndsWith("is not a regular file"));
  EXPECT_THAT(error_of([&] { read_file_at(directory.fd(), "d", plenty); }).message(),
              EndsWith("is not a regular file"));
}

TEST(ReadAll, NamesAnUnreadableFile) {
  const TempDirectory directory;
  const Error error = error_of([&] { read_all(directory.fd(), plenty, "the directory"); });
  EXPECT_THAT(error.message(), HasSubstr("cannot read the directory"));
}

TEST(WriteAll, NamesAFileThatItCannotWrite) {
  const Fd full = open_at(AT_FDCWD, "/dev/full", O_WRONLY);
  const Error error = error_of([&] { write_all(full.get(), "x", "/dev/full"); });
  EXPECT_THAT(error.message(), HasSubstr("cannot write /dev/full"));
  EXPECT_THAT(error.hint(), HasSubstr("space"));
}

TEST(ReplaceFileAt, CreatesAndReplaces) {
  const TempDirectory directory;
  const mode_t before = ::umask(0077);
  replace_file_at(directory.fd(), "f", "old", 0644);
  ::umask(before);
  EXPECT_EQ(mode_of(directory, "f"), 0644U);
  replace_file_at(directory.fd(), "f", "new", 0755);
  EXPECT_EQ(read_file_at(directory.fd(), "f", plenty), "new");
  EXPECT_EQ(mode_of(directory, "f"), 0755U);
  EXPECT_THAT(list_directory(directory.fd()), ElementsAre("f"));
}

TEST(ReplaceFileAt, ReplacesALinkAndNotItsTarget) {
  const TempDirectory directory;
  replace_file_at(directory.fd(), "target", "precious", 0644);
  link(directory, "target", "l");
  replace_file_at(directory.fd(), "l", "mine", 0644);
  EXPECT_EQ(read_file_at(directory.fd(), "target", plenty), "precious");
  EXPECT_EQ(read_file_at(directory.fd(), "l", plenty), "mine");
}

TEST(ReplaceFileAt, LeavesNoFileAfterAFailure) {
  const TempDirectory directory;
  make_directories_at(directory.fd(), "d/below", 0755);
  const Error error = error_of([&] { replace_file_at(directory.fd(), "d", "x", 0644); });
  EXPECT_THAT(error.message(), HasSubstr(directory / "d"));
  EXPECT_THAT(list_directory(directory.fd()), ElementsAre("d"));
  EXPECT_EQ(error_of([&] { replace_file_at(directory.fd(), "no/f", "x", 0644); }).kind(), ErrorKind::not_found);
}

/// A child with a file size limit sees every write beyond it fail, as on a full disk.
TEST(ReplaceFileAt, KeepsTheOldFileWhenWritingFails) {
  const TempDirectory directory;
  replace_file_at(directory.fd(), "f", "old", 0644);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const struct rlimit limit { 4, 4 };
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      replace_file_at(directory.fd(), "f", "much longer", 0644);
    } catch (const Error&) {
      ::_exit(42);
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), 42);
  EXPECT_EQ(read_file_at(directory.fd(), "f", plenty), "old");
  EXPECT_THAT(list_directory(directory.fd()), ElementsAre("f"));
}

TEST(CreateFileAt, NeverReplacesAFile) {
  const TempDirectory directory;
  create_file_at(directory.fd(), "f", "first", 0640);
  EXPECT_EQ(mode_of(directory, "f"), 0640U);
  const Error error = error_of([&] { create_file_at(directory.fd(), "f", "second", 0644); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.message(), HasSubstr(directory / "f"));
  EXPECT_EQ(read_file_at(directory.fd(), "f", plenty), "first");
  link(directory, "nowhere", "dangling");
  EXPECT_EQ(error_of([&] { create_file_at(directory.fd(), "dangling", "x", 0644); }).kind(), ErrorKind::conflict);
  EXPECT_THAT(list_directory(directory.fd()), ElementsAre("dangling", "f"));
  EXPECT_EQ(stat_at(directory.fd(), "f")->st_nlink, 1U);
}

TEST(ReplaceLinkAt, CreatesAndReplaces) {
  const TempDirectory directory;
  replace_link_at(directory.fd(), "etcd", "etcd.0");
  replace_link_at(directory.fd(), "etcd", "etcd.1");
  EXPECT_EQ(read_link_at(directory.fd(), "etcd"), "etcd.1");
  make_directories_at(directory.fd(), "d", 0755);
  EXPECT_THROW(replace_link_at(directory.fd(), "d", "x"), Error);
  EXPECT_THAT(list_directory(directory.fd()), ElementsAre("d", "etcd"));
  EXPECT_EQ(error_of([&] { replace_link_at(directory.fd(), "no/l", "x"); }).kind(), ErrorKind::not_found);
}

TEST(UnlinkAt, ReportsWhetherTheFileExisted) {
  const TempDirectory directory;
  replace_file_at(directory.fd(), "f", "", 0644);
  EXPECT_TRUE(unlink_at(directory.fd(), "f"));
  EXPECT_FALSE(unlink_at(directory.fd(), "f"));
  make_directories_at(directory.fd(), "d", 0755);
  EXPECT_THAT(error_of([&] { unlink_at(directory.fd(), "d"); }).message(), HasSubstr(directory / "d"));
}

TEST(SyncAt, SyncsFilesAndDirectories) {
  const TempDirectory directory;
  replace_file_at(directory.fd(), "f", "x", 0644);
  sync_at(directory.fd(), "f");
  sync_at(directory.fd(), ".");
  EXPECT_EQ(error_of([&] { sync_at(directory.fd(), "absent"); }).kind(), ErrorKind::not_found);
}

TEST(SplitPath, ReturnsParentAndName) {
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(split_path("a/b/c"), Pair("a/b", "c"));
  EXPECT_EQ(split_path("c"), Pair(".", "c"));
  EXPECT_EQ(split_path("/c"), Pair("/", "c"));
  EXPECT_EQ(split_path("/a/c/"), Pair("/a", "c"));
  EXPECT_EQ(split_path("/"), Pair("/", "."));
  EXPECT_EQ(split_path(""), Pair(".", "."));
}

TEST(SafeComponents, SplitsAndDropsEmptyOnes) {
  EXPECT_THAT(safe_components("/usr//local/./bin/", "x"), ElementsAre("usr", "local", "bin"));
  EXPECT_THAT(safe_components("", "x"), IsEmpty());
  EXPECT_THAT(safe_components("/", "x"), IsEmpty());
  EXPECT_THAT(safe_components("..a/b../...", "x"), ElementsAre("..a", "b..", "..."));
  EXPECT_THAT(safe_components(std::string(255, 'n'), "x"), ElementsAre(std::string(255, 'n')));
}

TEST(SafeComponents, RefusesUnsafeComponents) {
  for (const std::string& path :
       {std::string(".."), std::string("a/.."), std::string("../a"), std::string("/a/../b"), std::string("a\0b", 3),
        std::string("\0", 1), std::string(256, 'n'), "a/" + std::string(300, 'n') + "/b"}) {
    const Error error = error_of([&] { safe_components(path, "manifest.json"); });
    EXPECT_EQ(error.kind(), ErrorKind::verification);
    EXPECT_THAT(error.message(), HasSubstr("manifest.json"));
  }
}

}  // namespace
}  // namespace berth::base
