#include "base/file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

#include "base/temp_folder.hpp"

namespace berth::base {
namespace {

using test::error_of;
using test::TempFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t plenty = 1U << 20U;

mode_t mode_of(const TempFolder& folder, const std::string& name) {
  return stat_at(folder.fd(), name).value().st_mode & 07777U;
}

bool has_cloexec(const Fd& fd) {
  return (::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0;
}

void link(const TempFolder& folder, const std::string& target, const std::string& name) {
  ASSERT_EQ(::symlinkat(target.c_str(), folder.fd(), name.c_str()), 0);
}

TEST(FullPath, PutsTheFolderInFront) {
  const TempFolder folder;
  EXPECT_EQ(full_path(folder.fd(), "a/b"), folder / "a/b");
  EXPECT_EQ(full_path(folder.fd(), "."), (folder / "x").substr(0, (folder / "x").size() - 2));
  EXPECT_EQ(full_path(folder.fd(), "/abs"), "/abs");
  EXPECT_EQ(full_path(AT_FDCWD, "rel"), "rel");
  EXPECT_EQ(full_path(1000000, "rel"), "rel");
  EXPECT_EQ(full_path(open_host_folder("/").get(), "etc"), "/etc");
}

TEST(OpenAt, OpensAndCloses) {
  const TempFolder folder;
  const Fd file = open_at(folder.fd(), "f", O_WRONLY | O_CREAT, 0600);
  EXPECT_TRUE(has_cloexec(file));
  const Error absent = error_of([&] { open_at(folder.fd(), "absent", O_RDONLY); });
  EXPECT_EQ(absent.kind(), ErrorKind::not_found);
  EXPECT_THAT(absent.sentence(), HasSubstr(folder / "absent"));
}

TEST(OpenAt, RefusesALink) {
  const TempFolder folder;
  link(folder, "/etc/passwd", "l");
  const Error error = error_of([&] { open_at(folder.fd(), "l", O_RDONLY); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_THAT(error.sentence(), HasSubstr("symbolic link"));
  link(folder, "/etc", "d");
  EXPECT_THROW(open_folder_at(folder.fd(), "d"), Error);
}

TEST(OpenHostFolder, FollowsLinks) {
  const TempFolder folder;
  make_folders_at(folder.fd(), "real", 0755);
  link(folder, "real", "l");
  EXPECT_TRUE(has_cloexec(open_host_folder(folder / "l")));
  EXPECT_TRUE(open_host_folder_at(folder.fd(), "l"));
  EXPECT_EQ(error_of([&] { open_host_folder(folder / "absent"); }).kind(), ErrorKind::not_found);
}

TEST(OpenBeneath, OpensBelow) {
  const TempFolder folder;
  make_folders_at(folder.fd(), "a/b", 0755);
  replace_file_at(folder.fd(), "a/b/f", "hello", 0644);
  for (const char* path : {"a/b/f", "/a/b/f", "//a/./b//f"}) {
    const Fd file = open_beneath(folder.fd(), path, O_RDONLY);
    EXPECT_TRUE(has_cloexec(file));
    EXPECT_EQ(read_all(file.get(), plenty, path), "hello");
  }
  EXPECT_TRUE(open_beneath(folder.fd(), "/", O_RDONLY | O_DIRECTORY));
  EXPECT_TRUE(open_beneath(folder.fd(), "a/new", O_WRONLY | O_CREAT, 0600));
  EXPECT_EQ(mode_of(folder, "a/new"), 0600U);
}

TEST(OpenBeneath, FollowsNothing) {
  const TempFolder folder;
  make_folders_at(folder.fd(), "a", 0755);
  replace_file_at(folder.fd(), "a/f", "x", 0644);
  link(folder, "a", "inner");
  link(folder, "/etc", "outer");
  link(folder, "a/f", "last");
  for (const char* path : {"inner/f", "outer/passwd", "last", "a/../a/f", "../x"}) {
    EXPECT_EQ(error_of([&] { open_beneath(folder.fd(), path, O_RDONLY); }).kind(), ErrorKind::verification) << path;
  }
  EXPECT_EQ(error_of([&] { open_beneath(folder.fd(), "a/absent", O_RDONLY); }).kind(), ErrorKind::not_found);
}

TEST(OpenInRoot, ResolvesAsAfterChroot) {
  const TempFolder folder;
  make_folders_at(folder.fd(), "etc", 0755);
  replace_file_at(folder.fd(), "etc/os-release", "inside", 0644);
  link(folder, "/etc", "absolute");
  link(folder, "../../../etc", "upwards");
  for (const char* path : {"/etc/os-release", "absolute/os-release", "upwards/os-release", "../../etc/os-release"}) {
    EXPECT_EQ(read_all(open_in_root(folder.fd(), path, O_RDONLY).get(), plenty, path), "inside") << path;
  }
  EXPECT_TRUE(open_in_root(folder.fd(), "", O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(error_of([&] { open_in_root(folder.fd(), "no", O_RDONLY); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { open_in_root(folder.fd(), std::string_view("a\0b", 3), O_RDONLY); }).kind(),
            ErrorKind::verification);
}

TEST(StatAt, ToldApartFromAbsent) {
  const TempFolder folder;
  replace_file_at(folder.fd(), "f", "12345", 0644);
  link(folder, "f", "l");
  EXPECT_EQ(stat_at(folder.fd(), "f")->st_size, 5);
  EXPECT_TRUE(S_ISLNK(stat_at(folder.fd(), "l")->st_mode));
  EXPECT_FALSE(stat_at(folder.fd(), "absent"));
  EXPECT_FALSE(stat_at(folder.fd(), "f/below"));
  EXPECT_THROW(stat_at(-1, "f"), Error);
}

TEST(ReadLinkAt, GivesTheTarget) {
  const TempFolder folder;
  link(folder, "some where", "l");
  replace_file_at(folder.fd(), "f", "", 0644);
  EXPECT_EQ(read_link_at(folder.fd(), "l"), "some where");
  EXPECT_FALSE(read_link_at(folder.fd(), "f"));
  EXPECT_FALSE(read_link_at(folder.fd(), "absent"));
  EXPECT_THROW(read_link_at(-1, "f"), Error);
}

TEST(ReadFileAt, ReadsWholeFiles) {
  const TempFolder folder;
  const std::string big(100'000, 'x');
  replace_file_at(folder.fd(), "f", big, 0644);
  EXPECT_EQ(read_file_at(folder.fd(), "f", plenty), big);
  EXPECT_EQ(read_file_at(folder.fd(), "f", big.size()), big);
  EXPECT_FALSE(read_file_at(folder.fd(), "absent", plenty));
}

TEST(ReadFileAt, KeepsTheLimit) {
  const TempFolder folder;
  replace_file_at(folder.fd(), "f", "12345", 0644);
  const Error error = error_of([&] { read_file_at(folder.fd(), "f", 4); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_THAT(error.sentence(), AllOf(HasSubstr(folder / "f"), HasSubstr("limit of 4 bytes")));
}

TEST(ReadFileAt, RefusesWhatIsNoFile) {
  const TempFolder folder;
  link(folder, "/etc/passwd", "l");
  ASSERT_EQ(::mkfifoat(folder.fd(), "fifo", 0600), 0);
  make_folders_at(folder.fd(), "d", 0755);
  EXPECT_EQ(error_of([&] { read_file_at(folder.fd(), "l", plenty); }).kind(), ErrorKind::verification);
  EXPECT_THAT(error_of([&] { read_file_at(folder.fd(), "fifo", plenty); }).sentence(),
              EndsWith("is not a regular file"));
  EXPECT_THAT(error_of([&] { read_file_at(folder.fd(), "d", plenty); }).sentence(), EndsWith("is not a regular file"));
}

TEST(ReadAll, NamesWhatItCannotRead) {
  const TempFolder folder;
  const Error error = error_of([&] { read_all(folder.fd(), plenty, "the folder"); });
  EXPECT_THAT(error.sentence(), HasSubstr("cannot read the folder"));
}

TEST(WriteAll, NamesWhatItCannotWrite) {
  const Fd full = open_at(AT_FDCWD, "/dev/full", O_WRONLY);
  const Error error = error_of([&] { write_all(full.get(), "x", "/dev/full"); });
  EXPECT_THAT(error.sentence(), HasSubstr("cannot write /dev/full"));
  EXPECT_THAT(error.hint(), HasSubstr("space"));
}

TEST(ReplaceFileAt, CreatesAndReplaces) {
  const TempFolder folder;
  const mode_t before = ::umask(0077);
  replace_file_at(folder.fd(), "f", "old", 0644);
  ::umask(before);
  EXPECT_EQ(mode_of(folder, "f"), 0644U);
  replace_file_at(folder.fd(), "f", "new", 0755);
  EXPECT_EQ(read_file_at(folder.fd(), "f", plenty), "new");
  EXPECT_EQ(mode_of(folder, "f"), 0755U);
  EXPECT_THAT(list_folder(folder.fd()), ElementsAre("f"));
}

TEST(ReplaceFileAt, ReplacesALinkAndNotItsTarget) {
  const TempFolder folder;
  replace_file_at(folder.fd(), "target", "precious", 0644);
  link(folder, "target", "l");
  replace_file_at(folder.fd(), "l", "mine", 0644);
  EXPECT_EQ(read_file_at(folder.fd(), "target", plenty), "precious");
  EXPECT_EQ(read_file_at(folder.fd(), "l", plenty), "mine");
}

TEST(ReplaceFileAt, LeavesNothingWhenItFails) {
  const TempFolder folder;
  make_folders_at(folder.fd(), "d/below", 0755);
  const Error error = error_of([&] { replace_file_at(folder.fd(), "d", "x", 0644); });
  EXPECT_THAT(error.sentence(), HasSubstr(folder / "d"));
  EXPECT_THAT(list_folder(folder.fd()), ElementsAre("d"));
  EXPECT_EQ(error_of([&] { replace_file_at(folder.fd(), "no/f", "x", 0644); }).kind(), ErrorKind::not_found);
}

/// A child with a file size limit sees every write beyond it fail, as on a full disk.
TEST(ReplaceFileAt, KeepsTheOldFileWhenWritingFails) {
  const TempFolder folder;
  replace_file_at(folder.fd(), "f", "old", 0644);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const struct rlimit limit { 4, 4 };
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      replace_file_at(folder.fd(), "f", "much longer", 0644);
    } catch (const Error&) {
      ::_exit(42);
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), 42);
  EXPECT_EQ(read_file_at(folder.fd(), "f", plenty), "old");
  EXPECT_THAT(list_folder(folder.fd()), ElementsAre("f"));
}

TEST(CreateFileAt, CreatesOnlyWhatIsAbsent) {
  const TempFolder folder;
  create_file_at(folder.fd(), "f", "first", 0640);
  EXPECT_EQ(mode_of(folder, "f"), 0640U);
  const Error error = error_of([&] { create_file_at(folder.fd(), "f", "second", 0644); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.sentence(), HasSubstr(folder / "f"));
  EXPECT_EQ(read_file_at(folder.fd(), "f", plenty), "first");
  link(folder, "nowhere", "dangling");
  EXPECT_EQ(error_of([&] { create_file_at(folder.fd(), "dangling", "x", 0644); }).kind(), ErrorKind::conflict);
  EXPECT_THAT(list_folder(folder.fd()), ElementsAre("dangling", "f"));
  EXPECT_EQ(stat_at(folder.fd(), "f")->st_nlink, 1U);
}

TEST(ReplaceLinkAt, CreatesAndReplaces) {
  const TempFolder folder;
  replace_link_at(folder.fd(), "etcd", "etcd.0");
  replace_link_at(folder.fd(), "etcd", "etcd.1");
  EXPECT_EQ(read_link_at(folder.fd(), "etcd"), "etcd.1");
  make_folders_at(folder.fd(), "d", 0755);
  EXPECT_THROW(replace_link_at(folder.fd(), "d", "x"), Error);
  EXPECT_THAT(list_folder(folder.fd()), ElementsAre("d", "etcd"));
  EXPECT_EQ(error_of([&] { replace_link_at(folder.fd(), "no/l", "x"); }).kind(), ErrorKind::not_found);
}

TEST(UnlinkAt, SaysWhetherItWasThere) {
  const TempFolder folder;
  replace_file_at(folder.fd(), "f", "", 0644);
  EXPECT_TRUE(unlink_at(folder.fd(), "f"));
  EXPECT_FALSE(unlink_at(folder.fd(), "f"));
  make_folders_at(folder.fd(), "d", 0755);
  EXPECT_THAT(error_of([&] { unlink_at(folder.fd(), "d"); }).sentence(), HasSubstr(folder / "d"));
}

TEST(SyncAt, SyncsFilesAndFolders) {
  const TempFolder folder;
  replace_file_at(folder.fd(), "f", "x", 0644);
  sync_at(folder.fd(), "f");
  sync_at(folder.fd(), ".");
  EXPECT_EQ(error_of([&] { sync_at(folder.fd(), "absent"); }).kind(), ErrorKind::not_found);
}

TEST(SplitPath, GivesParentAndName) {
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

TEST(SafeComponents, RefusesWhatLeadsAstray) {
  for (const std::string& path :
       {std::string(".."), std::string("a/.."), std::string("../a"), std::string("/a/../b"), std::string("a\0b", 3),
        std::string("\0", 1), std::string(256, 'n'), "a/" + std::string(300, 'n') + "/b"}) {
    const Error error = error_of([&] { safe_components(path, "manifest.json"); });
    EXPECT_EQ(error.kind(), ErrorKind::verification);
    EXPECT_THAT(error.sentence(), HasSubstr("manifest.json"));
  }
}

}  // namespace
}  // namespace berth::base
