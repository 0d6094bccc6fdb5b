// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/machine/sub_ids.hpp"

#include <gmock/gmock.h>

#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Layout layout_of_alice(const Scratch& root) {
  LayoutSettings settings;
  settings.root = root.path();
  settings.running = true;
  settings.user = UserDirectories{
      "alice", 1000, "/home/alice", "/home/alice/.local/share", "/home/alice/.config", "/run/user/1000"};
  return Layout(settings);
}

/// A root with sub-ids for alice and the programs that set them.
class SubIdsTest : public ::testing::Test {
 protected:
  SubIdsTest() {
    root_.directory("etc");
    root_.directory("usr/bin");
    root_.file("etc/subuid", "alice:100000:65536\n");
    root_.file("etc/subgid", "alice:200000:1000\n");
    root_.file("usr/bin/newuidmap", "");
    root_.file("usr/bin/newgidmap", "");
  }
  Scratch root_;
  Layout layout_ = layout_of_alice(root_);
};

TEST(SubIds, AreFoundByNameAndByNumber) {
  EXPECT_THAT(parse_sub_ids("bob:1:2\nalice:100:10\n1000:300:5", "alice", 1000),
              ElementsAre(IdRange{100, 10}, IdRange{300, 5}));
}

TEST(SubIds, SkipsMalformedLines) {
  for (const char* text : {"", "alice", "alice:1", "alice:1:", "alice::1", "alice:x:1", "alice:1:0", "alice:1:-1",
                           "alice:4294967295:2", "alice:99999999999:1", "# alice:1:1", "alice:1:1:1", "alicea:1:1"}) {
    EXPECT_THAT(parse_sub_ids(text, "alice", 1000), IsEmpty()) << text;
  }
}

TEST(SubIds, AreBounded) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "alice:100000:10\n";
  }
  EXPECT_THAT(parse_sub_ids(text, "alice", 1000), SizeIs(16));
}

TEST(SubIds, FindsARangeThatIsFreeInBothFiles) {
  EXPECT_EQ(free_sub_ids("", ""), (IdRange{100'000, 65'536}));
  EXPECT_EQ(free_sub_ids("ann:100000:65536\n", ""), (IdRange{165'536, 65'536}));
  EXPECT_EQ(free_sub_ids("", "ann:100000:65536\n"), (IdRange{165'536, 65'536}));
  EXPECT_EQ(free_sub_ids("b:300000:10\na:165536:65536\n", "c:99999:2\n"), (IdRange{231'072, 65'536}));
  EXPECT_EQ(free_sub_ids("a:100000:10\nb:165000:1\n", "c:100500:400000\n"), (IdRange{500'500, 65'536}));
  EXPECT_EQ(free_sub_ids("a:0:4294967295\n", ""), std::nullopt);
}

TEST_F(SubIdsTest, TheRemedyNamesAFreeRange) {
  root_.file("etc/subuid", "ann:100000:65536\n");
  root_.file("etc/subgid", "bob:165536:65536\n");
  EXPECT_THAT(read_sub_ids(layout_).missing,
              HasSubstr("usermod --add-subuids 231072-296607 --add-subgids 231072-296607 alice"));
}

TEST_F(SubIdsTest, AreRead) {
  const auto ids = read_sub_ids(layout_);
  EXPECT_THAT(ids.uids, ElementsAre(IdRange{100000, 65536}));
  EXPECT_THAT(ids.gids, ElementsAre(IdRange{200000, 1000}));
  EXPECT_EQ("", ids.missing);
}

TEST_F(SubIdsTest, NeedsBothLists) {
  root_.file("etc/subgid", "bob:1:1\n");
  const auto ids = read_sub_ids(layout_);
  EXPECT_THAT(ids.uids, IsEmpty());
  EXPECT_THAT(ids.missing, HasSubstr("/etc/subgid"));
  EXPECT_THAT(ids.missing, HasSubstr("usermod"));
}

TEST_F(SubIdsTest, NeedsNewuidmapAndNewgidmap) {
  std::filesystem::remove(root_.at("usr/bin/newgidmap"));
  const auto ids = read_sub_ids(layout_);
  EXPECT_THAT(ids.uids, IsEmpty());
  EXPECT_THAT(ids.missing, HasSubstr("uidmap"));
}

TEST_F(SubIdsTest, NamesTheSettingThatDisablesUserNamespaces) {
  EXPECT_NO_THROW(refuse_without_user_namespaces(layout_));
  root_.directory("proc/sys/kernel");
  root_.file("proc/sys/kernel/unprivileged_userns_clone", "0\n");
  const auto debian = error_of([this] { refuse_without_user_namespaces(layout_); });
  EXPECT_EQ(base::ErrorKind::not_permitted, debian.kind());
  EXPECT_THAT(debian.hint(), HasSubstr("kernel.unprivileged_userns_clone=1"));
  root_.file("proc/sys/kernel/unprivileged_userns_clone", "1\n");
  root_.directory("proc/sys/user");
  root_.file("proc/sys/user/max_user_namespaces", "0\n");
  EXPECT_THAT(error_of([this] { refuse_without_user_namespaces(layout_); }).hint(),
              HasSubstr("user.max_user_namespaces"));
}

TEST_F(SubIdsTest, LingeringIsAFileOfLogind) {
  EXPECT_FALSE(lingers(layout_));
  root_.directory("var/lib/systemd/linger");
  root_.file("var/lib/systemd/linger/alice", "");
  EXPECT_TRUE(lingers(layout_));
}

}  // namespace
}  // namespace berth::host::testing
