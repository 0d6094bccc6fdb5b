// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/image_user.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

const char* const passwd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "broken line\n"
    "bad:x:abc:0::/:/bin/sh\n"
    "web:x:101:102:web:/srv/web:/bin/sh\n"
    "1000:x:7:8::/seven:/bin/sh\n"
    "web:x:999:999::/second:/bin/sh\n";
const char* const group =
    "root:x:0:\n"
    "wheel:x:10:root,web\n"
    "web:x:102:\n"
    "disk:x:6:web\n"
    "bad:x:zz:web\n"
    "55:x:77:\n";

TEST(ImageUser, IsRootByDefault) {
  for (const char* user : {"", "0", "root", ":"}) {
    const auto result = resolve_user(user, passwd, group);
    EXPECT_EQ(result.uid, 0U) << user;
    EXPECT_EQ(result.gid, 0U);
    EXPECT_EQ(result.home, "/root");
    EXPECT_THAT(result.additional_gids, ElementsAre(10U));
  }
}

TEST(ImageUser, NamesAndNumbers) {
  const auto web = resolve_user("web", passwd, group);
  EXPECT_EQ(web.uid, 101U);
  EXPECT_EQ(web.gid, 102U);
  EXPECT_EQ(web.home, "/srv/web");
  EXPECT_THAT(web.additional_gids, ElementsAre(6U, 10U));
  EXPECT_EQ(resolve_user("101", passwd, group).home, "/srv/web");
  EXPECT_EQ(resolve_user("web:", passwd, group).gid, 102U);
}

TEST(ImageUser, PrefersNamesThatLookLikeNumbers) {
  EXPECT_EQ(resolve_user("1000", passwd, group).uid, 7U);
  EXPECT_EQ(resolve_user("web:55", passwd, group).gid, 77U);
}

TEST(ImageUser, UnknownNumbersAreUsedUnchanged) {
  const auto result = resolve_user("4242", passwd, group);
  EXPECT_EQ(result.uid, 4242U);
  EXPECT_EQ(result.gid, 0U);
  EXPECT_EQ(result.home, "");
  EXPECT_EQ(resolve_user("4242:4243", "", "").gid, 4243U);
  EXPECT_EQ(resolve_user("4294967294", "", "").uid, 4294967294U);
}

TEST(ImageUser, GroupsAreChosen) {
  const auto result = resolve_user("web:disk", passwd, group);
  EXPECT_EQ(result.gid, 6U);
  EXPECT_THAT(result.additional_gids, ElementsAre(10U));
}

TEST(ImageUser, UnknownNamesAreRefused) {
  const auto user = error_of([] { resolve_user("nobody:web", passwd, group); });
  EXPECT_EQ(user.kind(), base::ErrorKind::failed);
  EXPECT_EQ(user.message(), "the image runs as `nobody:web`, but its /etc/passwd has no user `nobody`");
  EXPECT_EQ(error_of([] { resolve_user("web:nogroup", passwd, group); }).message(),
            "the image runs as `web:nogroup`, but its /etc/group has no group `nogroup`");
  for (const char* number : {"4294967295", "99999999999999999999"}) {
    EXPECT_THAT(error_of([&] { resolve_user(number, passwd, group); }).message(), HasSubstr("is too large"));
  }
  EXPECT_THROW(resolve_user("-1", passwd, group), base::Error);
  EXPECT_THROW(resolve_user("bad", passwd, group), base::Error);
}

}  // namespace
}  // namespace berth::render
