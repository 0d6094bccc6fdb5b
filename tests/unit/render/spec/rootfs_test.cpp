// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/rootfs.hpp"

#include <sys/stat.h>

#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

class Rootfs : public testing::Test {
 protected:
  Rootfs() { root_.write("etc/group", "web:x:102:\nextra:x:200:web\n"); }

  ImageUser user(const std::string& name) const { return user_of_image(name, root_.fd()); }
  void set_passwd(const std::string& text) { root_.write("etc/passwd", text); }

  test::TemporaryDirectory root_;
};

TEST_F(Rootfs, StatusFollowsLinksInsideTheImage) {
  root_.write("data/file", "four");
  root_.link("inside", "/data/file");
  root_.link("above", "../../../../data");
  EXPECT_EQ(stat_in_root(root_.fd(), "/data/file")->st_size, 4);
  EXPECT_EQ(stat_in_root(root_.fd(), "inside")->st_size, 4);
  EXPECT_TRUE(S_ISDIR(stat_in_root(root_.fd(), "/above/")->st_mode));
  EXPECT_TRUE(S_ISDIR(stat_in_root(root_.fd(), "/")->st_mode));
}

TEST_F(Rootfs, StatusOfAPathThatDoesNotExistIsNotSet) {
  root_.link("host", "/proc/self/status");  // exists outside the image only
  root_.link("loop", "loop");
  root_.write("file", "");
  for (const auto* path : {"/absent", "/host"}) {
    EXPECT_FALSE(stat_in_root(root_.fd(), path)) << path;
  }
  for (const auto* path : {"/loop", "/file/below"}) {
    EXPECT_THROW(stat_in_root(root_.fd(), path), base::Error) << path;
  }
}

TEST_F(Rootfs, UsersAndGroupsComeFromTheImage) {
  set_passwd("root:x:0:0::/root:/bin/sh\nweb:x:101:102::/srv/web:/bin/sh\n");
  const auto web = user("web");
  EXPECT_EQ(web.uid, 101U);
  EXPECT_EQ(web.gid, 102U);
  EXPECT_EQ(web.home, "/srv/web");
  EXPECT_THAT(web.additional_gids, ElementsAre(200U));
  EXPECT_THAT(error_of([this] { user("nobody-here"); }).message(), HasSubstr("no user `nobody-here`"));
}

TEST_F(Rootfs, AccountFilesAreReadThroughLinksInsideTheImage) {
  root_.write("data/passwd", "inside:x:7:8::/in:/bin/sh\n");
  root_.link("etc/passwd", "/data/passwd");
  EXPECT_EQ(user("inside").uid, 7U);
  std::filesystem::remove(root_ / "etc/passwd");
  root_.link("etc/passwd", "../../../../../../../../etc/passwd");  // itself, inside the image
  EXPECT_THROW(user("root"), base::Error);
}

/// A directory cannot be read, and a FIFO would block.
TEST_F(Rootfs, AccountFilesThatAreNoRegularFilesCountAsEmpty) {
  const auto expect_no_users = [this](const char* file) {
    EXPECT_EQ(user("0").home, "") << file;
    EXPECT_THAT(error_of([this] { user("root"); }).message(), HasSubstr("no user `root`")) << file;
  };
  expect_no_users("none");
  root_.directory("etc/passwd");
  expect_no_users("directory");
  std::filesystem::remove(root_ / "etc/passwd");
  ASSERT_EQ(::mkfifo((root_ / "etc/passwd").c_str(), 0600), 0);
  expect_no_users("FIFO");
}

TEST_F(Rootfs, AccountFilesHaveALimit) {
  const std::string line = "web:x:101:102::/srv/web:/bin/sh\n";
  const std::size_t limit = 4U << 20U;
  set_passwd(line + std::string(limit - line.size(), '#'));
  EXPECT_EQ(user("web").uid, 101U);
  set_passwd(line + std::string(limit - line.size() + 1, '#'));
  EXPECT_THAT(error_of([this] { user("web"); }).message(), HasSubstr("/etc/passwd in the image"));
}

}  // namespace
}  // namespace berth::render
