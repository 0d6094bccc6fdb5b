// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/tmpfiles.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

std::string lines(const std::vector<std::string>& sources) {
  return default_tmpfiles(sources, 3, 4, [](const std::string& path) { return path == "/exists"; });
}

TEST(Tmpfiles, OneLineForEachMissingSource) {
  EXPECT_EQ(lines({"/var/lib/a", "/exists", "/var/lib/a/", "//srv/./b"}),
            "d /var/lib/a 0700 3 4 - -\nd /srv/b 0700 3 4 - -\n");
}

TEST(Tmpfiles, SkipsPathsThatCannotOrMustNotBeCreated) {
  EXPECT_EQ(lines({"relative", "", "/", "/a/../b", "/dev", "/dev/virtio-ports", "/proc/x", "/sys/fs", "/etc/hosts",
                   "/etc/resolv.conf"}),
            "");
  EXPECT_EQ(lines({"/devices"}), "d /devices 0700 3 4 - -\n");
}

TEST(Tmpfiles, EscapesPaths) {
  EXPECT_EQ(tmpfiles_path("/plain"), "/plain");
  EXPECT_EQ(tmpfiles_path("/100%"), "/100%%");
  EXPECT_EQ(tmpfiles_path("/a b"), "\"/a b\"");
  EXPECT_EQ(tmpfiles_path("/a\"b\\c'"), "\"/a\\\"b\\\\c\\'\"");
  EXPECT_EQ(tmpfiles_path("/a\nd /etc/x"), "\"/a\\x0ad /etc/x\"");
}

TEST(TmpfilesPaths, AreThoseThatWillBeCreated) {
  const auto none = [](const std::string& path) { return path == "/var" || path == "/run"; };
  EXPECT_THAT(missing_tmpfiles_paths("# comment\nd /var/a/b 0700 0 0 - -\nr /var/x\nZ /var/a 0700\n"
                                     "f+ /run/%m/x - - - -\nd \"/run/with space\" - - - - -\nd! /run/boot/ - - -\n",
                                     none),
              ::testing::ElementsAre("/var/a", "/var/a/b", "/run/with space", "/run/boot"));
}

/// Paths are simplified as by systemd-tmpfiles; lines that it refuses create no paths.
TEST(Tmpfiles, PathsAreSimplified) {
  EXPECT_THAT(created_tmpfiles_paths("d /run//a/./b/\nd /run/../c\nd run/d\nd /\n"),
              ::testing::ElementsAre("/run/a/b", "/"));
}

}  // namespace
}  // namespace berth::render
