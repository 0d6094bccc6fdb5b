// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/host_path.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(SqueezedPath, IsAbsoluteWithoutEmptyAndDotComponents) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/a/b", "/a/b"}, {"a//b/", "/a/b"},    {"/./a/./b/.", "/a/b"},   {"//", "/"},         {".", "/"},
      {"", "/"},        {"/a b/…", "/a b/…"}, {"/..a/b..", "/..a/b.."}, {"/.../x", "/.../x"}};
  for (const auto& [path, squeezed] : cases) {
    EXPECT_EQ(squeezed_path(path, "x"), squeezed) << path;
    EXPECT_EQ(squeezed_path(squeezed, "x"), squeezed) << "again: " << path;
  }
}

TEST(SqueezedPath, RefusesPathsThatLeadUpwardsOrHoldANul) {
  for (const auto& [path, reason] : {std::pair{std::string("/a/../b"), "'..'"},
                                     {std::string(".."), "'..'"},
                                     {std::string("/a/.."), "'..'"},
                                     {std::string("/a\0/../b", 8), "NUL"},
                                     {std::string("/a\0", 3), "NUL"}}) {
    const auto error = error_of([&, path = path] { squeezed_path(path, "the volume"); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.message(), AllOf(StartsWith("the volume: "), HasSubstr(reason)));
  }
}

TEST(SqueezedPath, LimitsComponentsTo255Bytes) {
  const std::string longest = "/" + std::string(255, 'n');
  EXPECT_EQ(squeezed_path(longest + longest, "x"), longest + longest);
  EXPECT_THAT(error_of([&] { squeezed_path("/a" + longest + "n", "x"); }).message(), HasSubstr("255 bytes"));
}

TEST(WithoutSlashes, RemovesTrailingSlashesOnly) {
  EXPECT_EQ(without_slashes("/a//b"), "/a//b");
  EXPECT_EQ(without_slashes("/a/b/"), "/a/b");
  EXPECT_EQ(without_slashes("a///"), "a");
  EXPECT_EQ(without_slashes("/"), "/");
  EXPECT_EQ(without_slashes("///"), "/");
  EXPECT_EQ(without_slashes(""), "");
}

TEST(IsBelow, ComparesWholeComponents) {
  EXPECT_TRUE(is_below("/etc/web", "/etc/web"));
  EXPECT_TRUE(is_below("/etc/web/x", "/etc/web"));
  EXPECT_TRUE(is_below("/etc/web/", "/etc/web"));
  EXPECT_FALSE(is_below("/etc/webs", "/etc/web"));
  EXPECT_FALSE(is_below("/etc", "/etc/web"));
  EXPECT_FALSE(is_below("/srv/etc/web", "/etc/web"));
  EXPECT_FALSE(is_below("", "/etc"));
}

}  // namespace
}  // namespace berth::render
