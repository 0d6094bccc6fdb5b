// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/files/host_file.hpp"

#include <gmock/gmock.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "host/files/root_directory.hpp"
#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HostFileTest : public ::testing::Test {
 protected:
  HostFileTest() : root_fd_(root_.open()), rootfs_fd_(rootfs_.open()) {}

  CreatedFile create(const HostFile& file) { return create_host_file(root_fd_.get(), rootfs_fd_.get(), file); }
  RemoveOutcome remove(const std::string& path, const std::string& checksum) {
    return remove_host_file(root_fd_.get(), path, checksum);
  }
  static HostFile text_file(const std::string& destination, const std::string& content) {
    HostFile file;
    file.destination = destination;
    file.content = content;
    return file;
  }
  static HostFile copy_of(const std::string& source, const std::string& destination) {
    HostFile file;
    file.destination = destination;
    file.source = source;
    return file;
  }

  Scratch root_;
  Scratch rootfs_;
  base::Fd root_fd_;
  base::Fd rootfs_fd_;
};

TEST_F(HostFileTest, WritesTextAndItsParents) {
  HostFile file = text_file("/usr/local/bin/ctl", "hello");
  file.mode = 0755;
  const CreatedFile created = create(file);
  EXPECT_TRUE(created.created);
  EXPECT_EQ(base::digest_of("hello").hex(), created.checksum);
  EXPECT_THAT(created.created_directories, ElementsAre("/usr", "/usr/local", "/usr/local/bin"));
  EXPECT_EQ("hello", root_.text("usr/local/bin/ctl"));
  EXPECT_EQ(0755U, root_.status("usr/local/bin/ctl").st_mode & 07777U);
  EXPECT_EQ(0755U, root_.status("usr/local").st_mode & 07777U);
  EXPECT_EQ("usr\nusr/local\nusr/local/bin\nusr/local/bin/ctl\n", root_.listing());
}

TEST_F(HostFileTest, ModesDoNotDependOnTheUmask) {
  const mode_t old = ::umask(0077);
  HostFile file = text_file("/opt/x", "");
  file.mode = 0666;
  create(file);
  ::umask(old);
  EXPECT_EQ(0755U, root_.status("opt").st_mode & 07777U);
  EXPECT_EQ(0666U, root_.status("opt/x").st_mode & 07777U);
}

TEST_F(HostFileTest, CopiesContentOwnerSetuidAndCapability) {
  std::string bytes(300'000, 'x');
  bytes[299'999] = '\0';
  rootfs_.file("exports/hostfs/usr/bin/tool", bytes);
  // cap_net_raw+ep, as setcap(8) writes it (struct vfs_cap_data, revision 2)
  const std::string capability("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
  const std::string source = rootfs_.at("exports/hostfs/usr/bin/tool");
  ASSERT_EQ(0, ::setxattr(source.c_str(), "security.capability", capability.data(), capability.size(), 0));
  const bool user_attributes = ::setxattr(source.c_str(), "user.note", "hi", 2, 0) == 0;
  ::setxattr(source.c_str(), "trusted.secret", "no", 2, 0);

  HostFile file = copy_of("exports/hostfs/usr/bin/tool", "/usr/bin/tool");
  file.mode = 04755;
  file.uid = 7;
  file.gid = 70'000;
  const CreatedFile created = create(file);
  EXPECT_TRUE(created.created);
  EXPECT_EQ(base::digest_of(bytes).hex(), created.checksum);
  EXPECT_EQ(bytes, root_.text("usr/bin/tool"));
  const struct stat status = root_.status("usr/bin/tool");
  EXPECT_EQ(04755U, status.st_mode & 07777U);
  EXPECT_EQ(7U, status.st_uid);
  EXPECT_EQ(70'000U, status.st_gid);
  const std::string target = root_.at("usr/bin/tool");
  std::string value(64, '\0');
  EXPECT_EQ(20, ::getxattr(target.c_str(), "security.capability", value.data(), value.size()));
  EXPECT_EQ(capability, value.substr(0, 20));
  EXPECT_EQ(user_attributes ? 2 : -1, ::getxattr(target.c_str(), "user.note", value.data(), value.size()));
  EXPECT_EQ(-1, ::getxattr(target.c_str(), "trusted.secret", value.data(), value.size()));
}

/// Whether the blocks are shared depends on the file system; that nothing else is shared does not.
TEST_F(HostFileTest, SharedContentIsNeverASharedInode) {
  rootfs_.file("exports/hostfs/usr/bin/tool", "bytes of the image");
  HostFile file = copy_of("exports/hostfs/usr/bin/tool", "/usr/bin/tool");
  file.share = true;
  EXPECT_EQ(base::digest_of("bytes of the image").hex(), create(file).checksum);
  EXPECT_EQ(1U, root_.status("usr/bin/tool").st_nlink);
  root_.file("usr/bin/tool", "an edit on the host");
  EXPECT_EQ("bytes of the image", rootfs_.text("exports/hostfs/usr/bin/tool"));
}

TEST_F(HostFileTest, WorksOnTmpfs) {
  const std::string directory = "/dev/shm/berth-host-test-" + std::to_string(::getpid());
  ASSERT_EQ(0, ::mkdir(directory.c_str(), 0755));
  rootfs_.file("x", "content");
  ::setxattr(rootfs_.at("x").c_str(), "user.note", "hi", 2, 0);
  const base::Fd shm = base::open_host_directory(directory);
  EXPECT_TRUE(create_host_file(shm.get(), rootfs_fd_.get(), copy_of("x", "/a/x")).created);
  std::filesystem::remove_all(directory);
}

/// On a file system without files without a name.
TEST_F(HostFileTest, RemovesWhatAKillLeft) {
  const auto unfinished = "etc/" + unfinished_name("", "/etc/motd");
  root_.file(unfinished, "hal");
  EXPECT_TRUE(create(text_file("/etc/motd", "whole")).created);
  EXPECT_EQ("whole", root_.text("etc/motd"));
  root_.file(unfinished, "hal");
  EXPECT_EQ(RemoveOutcome::removed, remove_host_file(root_fd_.get(), "/etc/motd", base::digest_of("whole").hex()));
  root_.file(unfinished, "hal");
  EXPECT_EQ(RemoveOutcome::absent, remove_host_file(root_fd_.get(), "/etc/motd", base::digest_of("whole").hex()));
  EXPECT_THAT(base::list_directory(base::open_host_directory(root_.at("etc")).get()), IsEmpty());
}

TEST_F(HostFileTest, NeverOverwrites) {
  root_.file("etc/motd", "mine");
  root_.link("etc/dangling", "/nowhere");
  root_.directory("etc/directory");
  const std::string before = root_.listing();
  for (const char* path : {"/etc/motd", "/etc/dangling", "/etc/directory"}) {
    for (const auto kind : {HostFile::Kind::file, HostFile::Kind::directory, HostFile::Kind::link}) {
      HostFile file = text_file(path, "theirs");
      file.kind = kind;
      const CreatedFile created = create(file);
      EXPECT_FALSE(created.created) << path;
      EXPECT_EQ("", created.checksum);
      EXPECT_THAT(created.created_directories, IsEmpty());
    }
  }
  EXPECT_EQ("mine", root_.text("etc/motd"));
  EXPECT_EQ(before, root_.listing());
}

TEST_F(HostFileTest, DirectoriesAndLinks) {
  HostFile directory;
  directory.destination = "/var/lib/x";
  directory.kind = HostFile::Kind::directory;
  directory.mode = 01770;
  directory.gid = 5;
  const CreatedFile made = create(directory);
  EXPECT_TRUE(made.created);
  EXPECT_EQ("", made.checksum);
  EXPECT_THAT(made.created_directories, ElementsAre("/var", "/var/lib"));
  EXPECT_EQ(01770U, root_.status("var/lib/x").st_mode & 07777U);
  EXPECT_EQ(5U, root_.status("var/lib/x").st_gid);

  HostFile link;
  link.destination = "/usr/bin/x";
  link.kind = HostFile::Kind::link;
  link.link_target = "../../opt/x";
  link.uid = 9;
  const CreatedFile linked = create(link);
  EXPECT_TRUE(linked.created);
  EXPECT_EQ(base::digest_of("../../opt/x").hex(), linked.checksum);
  EXPECT_EQ("../../opt/x", root_.target("usr/bin/x"));
  EXPECT_EQ(9U, root_.status("usr/bin/x").st_uid);
}

TEST_F(HostFileTest, FollowsLinksOfTheHostInsideTheRoot) {
  const Scratch outside;
  root_.directory("usr/bin");
  root_.link("bin", "usr/bin");
  root_.link("local", "/usr");
  EXPECT_TRUE(create(text_file("/bin/a", "a")).created);
  EXPECT_EQ("a", root_.text("usr/bin/a"));
  EXPECT_TRUE(create(text_file("/local/share/b", "b")).created);
  EXPECT_EQ("b", root_.text("usr/share/b"));
  // What leads out of the root is looked for inside it, and is not there.
  root_.link("out", outside.path());
  const base::Error error = error_of([&] { create(text_file("/out/c", "c")); });
  EXPECT_EQ(base::ErrorKind::conflict, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("/out: a link of that name points to nothing"));
  root_.link("up", "../../../../../../../../../../" + outside.path());
  EXPECT_THROW(create(text_file("/up/c", "c")), base::Error);
  EXPECT_THAT(outside.listing(), IsEmpty());
}

TEST_F(HostFileTest, RefusedDestinations) {
  const std::string before = root_.listing();
  for (const char* path : {"/", "", "//.", "/proc/x", "/sys", "/dev/null", "/dev//shm/x"}) {
    EXPECT_EQ(base::ErrorKind::not_permitted, error_of([&] { create(text_file(path, "")); }).kind()) << path;
  }
  EXPECT_EQ(base::ErrorKind::verification, error_of([&] { create(text_file("/a/../b", "")); }).kind());
  EXPECT_EQ(before, root_.listing());
  EXPECT_TRUE(create(text_file("/device", "")).created);
}

TEST_F(HostFileTest, KernelDirectoriesBehindLinksAreRefusedToo) {
  root_.directory("proc/sys");
  root_.link("etc/kernel", "/proc/sys");
  const std::string before = root_.listing();
  const base::Error error = error_of([&] { create(text_file("/etc/kernel/new/x", "")); });
  EXPECT_EQ(base::ErrorKind::not_permitted, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("would be in /proc"));
  EXPECT_EQ(before, root_.listing());
}

TEST_F(HostFileTest, SourcesThroughLinksAreRefused) {
  rootfs_.file("real", "secret");
  rootfs_.link("link", "real");
  rootfs_.link("directory", "/etc");
  ASSERT_EQ(0, ::mkfifo(rootfs_.at("fifo").c_str(), 0600));
  rootfs_.directory("dir");
  for (const char* source : {"link", "directory/passwd", "fifo", "dir", "../x"}) {
    EXPECT_EQ(base::ErrorKind::verification, error_of([&] { create(copy_of(source, "/opt/x")); }).kind()) << source;
  }
  EXPECT_EQ(base::ErrorKind::not_found, error_of([&] { create(copy_of("missing", "/opt/x")); }).kind());
  EXPECT_THAT(root_.listing(), IsEmpty());
}

TEST_F(HostFileTest, AFileInTheWayOfAParent) {
  root_.file("usr", "");
  EXPECT_THAT(error_of([&] { create(text_file("/usr/bin/x", "")); }).what(), HasSubstr("usr"));
  EXPECT_FALSE(host_exists(root_fd_.get(), "/usr/bin/x"));
  EXPECT_EQ(RemoveOutcome::absent, remove("/usr/bin/x", "00"));
}

TEST_F(HostFileTest, RemovesOnlyWhatIsUnchanged) {
  const CreatedFile created = create(text_file("/opt/x/file", "content"));
  EXPECT_EQ(RemoveOutcome::modified, remove("/opt/x/file", base::digest_of("other").hex()));
  EXPECT_EQ(RemoveOutcome::modified, remove("/opt/x/file", ""));
  EXPECT_EQ(RemoveOutcome::modified, remove("/opt/x", ""));
  EXPECT_EQ(RemoveOutcome::modified, remove("/opt/x", created.checksum));
  EXPECT_EQ(RemoveOutcome::removed, remove("/opt/x/file", created.checksum));
  EXPECT_EQ(RemoveOutcome::absent, remove("/opt/x/file", created.checksum));
  EXPECT_EQ(RemoveOutcome::absent, remove("/gone/file", created.checksum));
  EXPECT_EQ(RemoveOutcome::removed, remove("/opt/x", ""));
  EXPECT_EQ(RemoveOutcome::absent, remove("/opt/x", ""));
  EXPECT_THROW(remove("/", ""), base::Error);
}

TEST_F(HostFileTest, RemovesLinksByTheirTarget) {
  root_.link("etc/link", "target");
  EXPECT_EQ(RemoveOutcome::modified, remove("/etc/link", base::digest_of("elsewhere").hex()));
  EXPECT_EQ(RemoveOutcome::removed, remove("/etc/link", base::digest_of("target").hex()));
}

TEST_F(HostFileTest, ChecksumsAndExistence) {
  root_.file("etc/file", "content");
  root_.link("etc/link", "file");
  root_.link("conf", "/etc");
  ASSERT_EQ(0, ::mkfifo(root_.at("etc/fifo").c_str(), 0600));
  const int root = root_fd_.get();
  EXPECT_EQ(base::digest_of("content").hex(), host_checksum(root, "/conf/file"));
  EXPECT_EQ(base::digest_of("file").hex(), host_checksum(root, "/etc/link"));
  EXPECT_FALSE(host_checksum(root, "/etc"));
  EXPECT_FALSE(host_checksum(root, "/etc/fifo"));
  EXPECT_FALSE(host_checksum(root, "/none/x"));
  EXPECT_EQ(RemoveOutcome::modified, remove("/etc/fifo", "00"));
  EXPECT_TRUE(host_exists(root, "/"));
  EXPECT_TRUE(host_exists(root, "/conf/fifo"));
  EXPECT_FALSE(host_exists(root, "/etc/none"));
}

TEST_F(HostFileTest, RemovesCreatedParents) {
  const CreatedFile created = create(text_file("/a/b/c/file", ""));
  root_.file("a/other", "");
  EXPECT_EQ(RemoveOutcome::removed, remove("/a/b/c/file", created.checksum));
  remove_created_directories(root_fd_.get(), created.created_directories);
  EXPECT_EQ("a\na/other\n", root_.listing());
}

TEST_F(HostFileTest, ResolvesLinksOfParents) {
  root_.directory("usr/bin");
  root_.link("bin", "usr/bin");
  root_.link("usr/bin/last", "/etc");
  const int root = root_fd_.get();
  EXPECT_EQ("/usr/bin/x", resolve_host_path(root, "/bin/x"));
  EXPECT_EQ("/usr/bin/x/y", resolve_host_path(root, "//bin/./x/y/"));
  EXPECT_EQ("/usr/bin/last", resolve_host_path(root, "/bin/last"));
  EXPECT_EQ("/none/x", resolve_host_path(root, "/none/x"));
  EXPECT_EQ("/x", resolve_host_path(root, "x"));
  EXPECT_EQ("/", resolve_host_path(root, "/"));
  EXPECT_EQ("/etc/passwd", resolve_host_path(base::open_host_directory("/").get(), "/etc/passwd"));
  EXPECT_EQ(base::ErrorKind::verification, error_of([&] { resolve_host_path(root, "/a/../b"); }).kind());
}

/// A link or directory of `owner` in the test's root.
void give(const Scratch& root, const std::string& path, uid_t owner) {
  ASSERT_EQ(0, ::lchown(root.at(path).c_str(), owner, owner)) << path;
}

TEST_F(HostFileTest, RefusesUnsafeTransitions) {
  root_.file("etc/ld.so.conf.d/libc.conf", "lib");
  root_.directory("srv/app/own");
  root_.link("srv/app/absolute", "/etc/ld.so.conf.d");
  root_.link("srv/app/relative", "../../etc/ld.so.conf.d");
  root_.link("srv/app/root", "/");
  root_.link("srv/app/chain", "absolute");
  root_.directory("srv/app/roots");
  for (const char* path :
       {"srv/app", "srv/app/own", "srv/app/absolute", "srv/app/relative", "srv/app/root", "srv/app/chain"}) {
    give(root_, path, 1000);
  }
  const auto before = root_.listing();
  for (const std::string path : {"/srv/app/absolute/", "/srv/app/relative/", "/srv/app/root/etc/ld.so.conf.d/",
                                 "/srv/app/chain/", "/srv/app/roots/", "/srv/app/own/new/"}) {
    const auto refused = error_of([&] { create(text_file(path + "evil.conf", "/home/me")); });
    EXPECT_EQ(base::ErrorKind::not_permitted, refused.kind()) << path;
    EXPECT_THAT(refused.what(), HasSubstr("1000")) << path;
    EXPECT_FALSE(refused.hint().empty());
  }
  for (const std::string path : {"/srv/app/absolute/libc.conf", "/srv/app/root/etc/ld.so.conf.d/libc.conf"}) {
    EXPECT_EQ(base::ErrorKind::not_permitted, error_of([&] { remove(path, base::digest_of("lib").hex()); }).kind());
    EXPECT_TRUE(danger_on_the_way(root_fd_.get(), path));
  }
  EXPECT_EQ(before, root_.listing());
  EXPECT_TRUE(create(text_file("/srv/app/own/fine", "x")).created);
  EXPECT_FALSE(danger_on_the_way(root_fd_.get(), "/srv/app/own/fine"));
  EXPECT_EQ(1000U, trusted_directory_owner(root_fd_.get(), "/srv/app/own"));
  EXPECT_EQ(std::nullopt, trusted_directory_owner(root_fd_.get(), "/srv/app/none"));
}

TEST_F(HostFileTest, FollowsLinksOfRoot) {
  root_.directory("data/deep");
  root_.link("srv", "data");
  root_.link("data/up", "../../../../usr");
  root_.directory("usr");
  root_.link("data/deep/absolute", "/usr");
  EXPECT_TRUE(create(text_file("/srv/up/a", "x")).created);
  EXPECT_TRUE(create(text_file("/srv/deep/absolute/new/b", "x")).created);
  EXPECT_EQ("x", root_.text("usr/a"));
  EXPECT_EQ("x", root_.text("usr/new/b"));
  root_.link("loop", "loop");
  EXPECT_THROW(create(text_file("/loop/x", "x")), base::Error);
  root_.file("file", "x");
  EXPECT_EQ(base::ErrorKind::conflict, error_of([&] { create(text_file("/file/x", "x")); }).kind());
}

/// A whole tree of another user, created without root. The user who names it trusts it.
TEST_F(HostFileTest, TrustsATreeOfASingleOtherOwner) {
  root_.directory("usr/lib");
  root_.link("lib", "/usr/lib");
  for (const char* path : {"", "usr", "usr/lib", "lib"}) {
    give(root_, path, 100'000);
  }
  EXPECT_TRUE(create(text_file("/lib/x", "x")).created);
  EXPECT_EQ("x", root_.text("usr/lib/x"));
}

}  // namespace
}  // namespace berth::host::testing
